/** Load over HTTP/1.1: by wrk where it is installed, else by autocannon. */
import { execFile, spawnSync } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const AUTOCANNON = path.resolve(import.meta.dirname, '../../node_modules/autocannon/autocannon.js')
const hasWrk = spawnSync('wrk', ['--version']).error === undefined

/** What loads. */
export const GENERATOR = hasWrk ? 'wrk' : 'autocannon'

/** One run. */
export interface Load {
  readonly url: string
  readonly connections: number
  readonly seconds: number
  readonly authorization?: string | undefined
}

/** What came of it; latencies in milliseconds. */
export interface Taken {
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
}

/** Loads for a while. Rejects when an answer was none of 200. */
export function load(request: Load): Promise<Taken> {
  return hasWrk ? byWrk(request) : byAutocannon(request)
}

const UNITS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1_000 }

async function byWrk({ url, connections, seconds, authorization }: Load): Promise<Taken> {
  const header = authorization === undefined ? [] : ['-H', `Authorization: ${authorization}`]
  const flags = ['-t1', `-c${connections}`, `-d${seconds}s`, '--latency', ...header]
  const { stdout } = await run('wrk', [...flags, url])
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`wrk of ${url}:\n${stdout}`)
  const quantile = (share: string) => {
    const [, value, unit = ''] = new RegExp(`${share}%\\s+([\\d.]+)(us|ms|s)`).exec(stdout) ?? []
    return Number(value) * (UNITS[unit] ?? Number.NaN)
  }
  const [, perSecond] = /Requests\/sec:\s+([\d.]+)/.exec(stdout) ?? []
  return { perSecond: Number(perSecond), p50: quantile('50'), p99: quantile('99') }
}

interface AutocannonReport {
  readonly requests: { readonly average: number }
  readonly latency: { readonly p50: number; readonly p99: number }
  readonly errors: number
  readonly non2xx: number
}

async function byAutocannon({ url, connections, seconds, authorization }: Load): Promise<Taken> {
  const header = authorization === undefined ? [] : ['-H', `Authorization=${authorization}`]
  const flags = ['-j', '-c', String(connections), '-d', String(seconds), ...header, url]
  const { stdout } = await run(process.execPath, [AUTOCANNON, ...flags], {
    env: { ...process.env, NODE_TLS_REJECT_UNAUTHORIZED: '0' },
  })
  const report = JSON.parse(stdout) as AutocannonReport
  if (report.errors + report.non2xx > 0) throw new Error(`autocannon of ${url}:\n${stdout}`)
  const { p50, p99 } = report.latency
  return { perSecond: report.requests.average, p50, p99 }
}
