/** Everything that a bench of the paywall needs around it, each a process of its own. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import http from 'node:http'
import https from 'node:https'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseChallenge } from '../../proxy/l402/index.ts'
import { formatAuthorization } from '../../proxy/l402/authorization.ts'
import type { Maker } from '../../test/interop/ends.ts'
import { LineProcess, type Line } from '../../test/interop/line-process.ts'
import { peerBinary } from '../../test/interop/peers.ts'
import { freePort } from '../../test/interop/relays.ts'
import { type Simnet, startSimnet } from '../../test/interop/simnet.ts'
import {
  configuration,
  type NodePlace,
  nginxConfiguration,
  type Upstream,
  UPSTREAM_CERTIFICATE,
  UPSTREAM_KEY,
} from './config.ts'

const START_MS = 30_000
const RUN_MS = 900_000
const ROOT = path.resolve(import.meta.dirname, '../..')
const BUILD = path.join(ROOT, '.cache/bench')
const NGINX = process.env.PINHOLE_BENCH_NGINX ?? '/usr/sbin/nginx'

/** Rounds of each measurement; the median counts. */
export const ROUNDS = Number(process.env.PINHOLE_BENCH_ROUNDS ?? 5)
/** Seconds of one run of a generator. */
export const SECONDS = Number(process.env.PINHOLE_BENCH_SECONDS ?? 5)

/** Who is measured. */
export type Name = 'Pinhole' | 'Aperture' | 'nginx'

/** Something that forwards. */
export interface Proxy {
  readonly name: Name
  readonly port: number
  readonly secure: boolean
  readonly pid: number
  /** `http://127.0.0.1:<port>` */
  readonly url: string
}

/** What runs while a bench does. */
export interface Stage {
  readonly upstream: Upstream
  readonly simnet: Simnet
  /** Starts a paywall that goes when the stage does. */
  paywall(maker: Maker, secure: boolean, node?: NodePlace): Promise<Proxy>
  /** nginx before the upstream, or nothing where it is not installed. */
  nginx(): Promise<Proxy | undefined>
  /** Buys a token of the service at `path`: the value of `Authorization`. */
  buy(from: Proxy, path: string): Promise<string>
  /** Adds something that is to be ended with the stage. */
  keep(end: () => Promise<unknown>): void
}

/** Compiles the hub, as it is installed, and runs `bench` with everything up. */
export async function withStage(bench: (stage: Stage) => Promise<void>): Promise<void> {
  compile()
  const ends: (() => Promise<unknown>)[] = []
  const keep = (end: () => Promise<unknown>) => void ends.push(end)
  const spawn = (name: string, command: string, args: readonly string[]) => {
    const process = new LineProcess({ name, command, args })
    keep(() => process.stop('SIGTERM'))
    return process
  }
  const newFolder = async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'pinhole-bench-'))
    keep(() => rm(folder, { recursive: true, force: true }))
    return folder
  }
  try {
    const files = [`--cert=${UPSTREAM_CERTIFICATE}`, `--key=${UPSTREAM_KEY}`]
    const upstream = await startUpstream(
      spawn('upstream', peerBinary('proxy-bench'), ['upstream', ...files]),
    )
    const simnet = await startSimnet()
    keep(() => simnet.stop())
    await bench({
      upstream,
      simnet,
      keep,
      buy: (from, path) => buy(from, path, simnet),
      paywall: async (maker, secure, node = { by: 'lnd', lnd: simnet.payee }) => {
        const [port, folder] = [await freePort(), await newFolder()]
        const config = path.join(folder, 'aperture.yaml')
        const place = { maker, port, folder, secure, node, upstream }
        await writeFile(config, configuration(place), { mode: 0o600 })
        const flags = [`--configfile=${config}`, `--basedir=${folder}`]
        const [name, command, args] = commandOf(maker)
        const process = spawn(name, command, [...args, ...flags])
        return listening(process, name, port, secure)
      },
      nginx: async () => {
        if (!existsSync(NGINX)) {
          console.log(`nginx left out: there is no ${NGINX}`)
          return undefined
        }
        const [port, folder] = [await freePort(), await newFolder()]
        const config = path.join(folder, 'nginx.conf')
        await writeFile(config, nginxConfiguration(port, folder, upstream))
        const process = spawn('nginx', NGINX, ['-p', folder, '-c', config])
        return listening(process, 'nginx', port, false)
      },
    })
  } finally {
    for (const end of ends.reverse()) await end()
  }
}

function compile(): void {
  const tsc = path.join(ROOT, 'node_modules/.bin/tsc')
  // Types are another command's business.
  const flags = ['-p', 'tsconfig.build.json', '--noCheck', '--declaration', 'false']
  const run = spawnSync(tsc, [...flags, '--outDir', BUILD], { cwd: ROOT, stdio: 'inherit' })
  if (run.status !== 0) throw new Error('the hub does not compile')
}

function commandOf(maker: Maker): [name: Name, command: string, args: readonly string[]] {
  if (maker === 'go') return ['Aperture', peerBinary('aperture'), []]
  const nodeFlags = (process.env.PINHOLE_BENCH_NODE_FLAGS ?? '').split(' ').filter(Boolean)
  const main = path.join(BUILD, 'src/cli/main.js')
  return ['Pinhole', process.execPath, [...nodeFlags, main, 'start', '--json']]
}

async function startUpstream(process: LineProcess): Promise<Upstream> {
  const line = await process.line(START_MS)
  return { small: Number(line.small), large: Number(line.large), grpc: Number(line.grpc) }
}

async function listening(
  process: LineProcess,
  name: Name,
  port: number,
  secure: boolean,
): Promise<Proxy> {
  const deadline = performance.now() + START_MS
  while (!(await accepts(port))) {
    if (process.hasEnded) throw new Error(`${name} ended at once:\n${process.stderr}`)
    if (performance.now() > deadline) throw new Error(`${name} does not listen`)
    await sleep(50)
  }
  const url = `${secure ? 'https' : 'http'}://127.0.0.1:${port}`
  return { name, port, secure, pid: process.pid ?? 0, url }
}

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })

async function buy({ name, url }: Proxy, path: string, simnet: Simnet): Promise<string> {
  const deadline = performance.now() + START_MS
  for (;;) {
    const [challenge] = parseChallenge(await challengesOf(`${url}${path}`))
    if (challenge) {
      const preimage = await simnet.pay(challenge.invoice)
      return formatAuthorization(challenge.macaroon, Buffer.from(preimage, 'hex'))
    }
    if (performance.now() > deadline) throw new Error(`${name} sells nothing`)
    await sleep(200)
  }
}

/** The lines of `WWW-Authenticate`. */
function challengesOf(url: string): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const answered = (response: http.IncomingMessage) => {
      response.resume().once('end', () => {
        resolve(response.headersDistinct['www-authenticate'] ?? [])
      })
    }
    const request = url.startsWith('https:')
      ? https.get(url, { rejectUnauthorized: false, agent: false }, answered)
      : http.get(url, { agent: false }, answered)
    request.once('error', reject)
  })
}

/** One run of the generator of our own: what it reports. */
export async function generate(args: readonly string[]): Promise<Line> {
  const process = new LineProcess({
    name: 'proxy-bench',
    command: peerBinary('proxy-bench'),
    args,
  })
  try {
    return await process.line(RUN_MS)
  } finally {
    await process.stop()
  }
}
