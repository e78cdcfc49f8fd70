/**
 * How long other requests take while services are edited, and while they are not: a stream is under way through the
 * hub all the time, and one request after the other is made beside it.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createAdminClient } from '../src/admin/index.ts'

const EDITS = 100
/** 3,000 makes it a stream of ten minutes, half of them with edits. */
const EDIT_EVERY_MS = Number(process.env.PINHOLE_BENCH_EDIT_EVERY_MS ?? 100)
const CHUNK_BYTES = 16_384
const CHUNK_EVERY_MS = 5
const START_MS = 30_000

const folder = mkdtempSync(path.join(os.tmpdir(), 'pinhole-bench-admin-'))
const CLI = path.resolve(import.meta.dirname, '../src/cli/main.ts')

/** An upstream whose `/stream` sends without an end. */
async function startUpstream() {
  const server = http.createServer((request, response) => {
    if (request.url !== '/stream') return void response.end('done')
    const timer = setInterval(() => response.write(Buffer.alloc(CHUNK_BYTES)), CHUNK_EVERY_MS)
    response.once('close', () => clearInterval(timer))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, port: (server.address() as AddressInfo).port }
}

async function freePort(): Promise<number> {
  const { server, port } = await startUpstream()
  server.close()
  await once(server, 'close')
  return port
}

/** A hub as a process of its own. */
async function startHub(upstream: number) {
  const port = await freePort()
  const config = path.join(folder, 'pinhole.yaml')
  const service = `{name: open, address: '127.0.0.1:${upstream}', auth: 'off'}`
  writeFileSync(
    config,
    `listenaddr: 127.0.0.1:${port}\ninsecure: true\nadmin: {enabled: true}\nservices: [${service}]\n`,
  )
  const flags = ['start', `--configfile=${config}`, `--basedir=${folder}`]
  const child = spawn(process.execPath, ['--import', 'tsx', CLI, ...flags], { stdio: 'ignore' })
  const url = `http://127.0.0.1:${port}`
  const deadline = performance.now() + START_MS
  while (!(await fetch(`${url}/_pinhole/health`).catch(() => undefined))) {
    if (performance.now() > deadline || child.exitCode !== null) throw new Error('no hub')
    await sleep(50)
  }
  return { child, url }
}

const quantile = (sorted: readonly number[], part: number): number =>
  Number((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0).toFixed(2))

/** Makes requests until `busy` has come to its end. */
async function measure(what: string, url: string, busy: () => Promise<unknown>) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  const took: number[] = []
  let ended = false
  const work = busy().finally(() => (ended = true))
  while (!ended) {
    const startedAt = performance.now()
    await new Promise((resolve, reject) => {
      http
        .get(`${url}/other`, { agent }, (answer) => answer.resume().once('end', resolve))
        .once('error', reject)
    })
    took.push(performance.now() - startedAt)
  }
  await work
  agent.destroy()
  const sorted = took.sort((a, b) => a - b)
  return {
    what,
    requests: sorted.length,
    p50Ms: quantile(sorted, 0.5),
    p99Ms: quantile(sorted, 0.99),
    maxMs: quantile(sorted, 1),
  }
}

const upstream = await startUpstream()
const hub = await startHub(upstream.port)
try {
  const macaroon = readFileSync(path.join(folder, 'admin.macaroon'))
  const admin = createAdminClient(hub.url, Uint8Array.from(macaroon))
  let bytes = 0
  const stream = http.get(`${hub.url}/stream`, (answer) => {
    answer.on('data', (chunk: Buffer) => (bytes += chunk.length)).on('error', () => {})
  })
  stream.on('error', () => {})
  const edit = async () => {
    for (let n = 1; n <= EDITS; n++) {
      await admin.updateService({ name: 'open', price: n })
      await sleep(EDIT_EVERY_MS)
    }
  }
  const rest = () => sleep(EDITS * EDIT_EVERY_MS)
  await measure('warming up', hub.url, () => sleep(2_000))
  console.table([
    await measure('no edits', hub.url, rest),
    await measure(`${EDITS} edits`, hub.url, edit),
  ])
  console.log(`${(bytes / 2 ** 20).toFixed(0)} MiB were streamed meanwhile`)
  stream.destroy()
} finally {
  hub.child.kill()
  upstream.server.close()
  upstream.server.closeAllConnections()
  rmSync(folder, { recursive: true, force: true })
}
