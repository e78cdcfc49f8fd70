/**
 * The conformance tests of h2spec at a hub, and at a server of node:http2 with nothing around it, which says how
 * far anything built on Node can come. A hub must pass all that this passes.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import http2 from 'node:http2'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test from 'node:test'
import { createHub, loadConfig } from '../../src/index.ts'
import { startBackends } from '../aperture/backends.ts'
import { newPair } from '../listener/serving.ts'
import { peerBinary, requirePeers } from './peers.ts'
import { Undo } from './undo.ts'

/** For one case; a few cases wait for an answer that Node does not give. */
const CASE_SECONDS = 2
const RUN_MS = 120_000
/** As many cases as this version of h2spec has, without those that are skipped. */
const LEAST_CASES = 140
/** What a hub lets one connection do is told to h2spec by both, so that it tries the same. */
const STREAMS = 100
const FRAME_BYTES = 65_536
/** The header that makes one frame too large is sent five times over, in Huffman's code of 7 bits each. */
const HEADER_CHARACTERS = 15_500
/** A port that speaks HTTP/1.1 too answers in it whoever does not begin as HTTP/2 does, and then hangs up. */
const BOTH_SPOKEN = 'http2/3.5 Sends invalid connection preface'
/** Enough for the cases that let little of it through at a time. */
const ANSWER = 'x'.repeat(100)

const MORE_TRIES = 5

type Result = 'passed' | 'failed' | 'skipped'

/** What is tested. */
interface Place {
  readonly port: number
  readonly target: string
  readonly tls: boolean
}

/** What became of every case, or of those in `sections`, by its name. */
async function h2spec(
  { port, target, tls }: Place,
  sections: readonly string[] = [],
): Promise<Map<string, Result>> {
  const folder = await mkdtemp(path.join(tmpdir(), 'pinhole-h2spec-'))
  const report = path.join(folder, 'report.xml')
  const flags = ['-h', '127.0.0.1', '-p', String(port), '-P', target, '-o', String(CASE_SECONDS)]
  flags.push('--max-header-length', String(HEADER_CHARACTERS))
  const args = [...flags, '-j', report, ...(tls ? ['-t', '-k'] : []), ...sections]
  try {
    // Ends with 1 as soon as a case fails.
    await new Promise<void>((resolve) => {
      execFile(peerBinary('h2spec'), args, { timeout: RUN_MS }, () => resolve())
    })
    return readReport(await readFile(report, 'latin1'))
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** Its report is no well-formed XML where a case has failed, but has a line for each case. */
function readReport(text: string): Map<string, Result> {
  const results = new Map<string, Result>()
  for (const [, where, what = '', rest = ''] of text.matchAll(
    /<testcase package="([^"]*)" classname="([^"]*)"[^>]*>\s*(<\/?\w+)/g,
  )) {
    let name = `${where} ${what}`
    while (results.has(name)) name += ' (again)'
    const result = rest === '</testcase' ? 'passed' : rest === '<skipped' ? 'skipped' : 'failed'
    results.set(name, result)
  }
  return results
}

const those = (results: ReadonlyMap<string, Result>, which: Result): string[] =>
  [...results].flatMap(([name, result]) => (result === which ? [name] : []))

/** A server of Node's http2 that does no more than answer; its port. */
async function bareNode(undo: Undo, tls: boolean): Promise<number> {
  const settings = { maxConcurrentStreams: STREAMS, maxFrameSize: FRAME_BYTES }
  const server = tls
    ? http2.createSecureServer({ ...(await newPair()), settings })
    : http2.createServer({ settings })
  const sessions = new Set<http2.ServerHttp2Session>()
  server.on('session', (session: http2.ServerHttp2Session) => {
    sessions.add(session)
    session.on('error', () => {}).once('close', () => sessions.delete(session))
  })
  server.on('sessionError', () => {})
  server.on('request', (request: http2.Http2ServerRequest, response: http2.Http2ServerResponse) => {
    request.on('error', () => {}).resume()
    response.on('error', () => {}).end(ANSWER)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  undo.push(async () => {
    for (const session of sessions) session.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  return (server.address() as AddressInfo).port
}

/** A hub that forwards what is asked below `/open` for nothing; its port. */
async function openHub(undo: Undo, tls: boolean): Promise<number> {
  const backends = await startBackends()
  undo.push(() => backends.close())
  const basedir = await mkdtemp(path.join(tmpdir(), 'pinhole-h2spec-hub-'))
  undo.push(() => rm(basedir, { recursive: true }))
  const upstream = { address: `127.0.0.1:${backends.h1}`, protocol: 'http' }
  const services = [
    { name: 'open', hostregexp: '.*', pathregexp: '^/open', auth: 'off', ...upstream },
  ]
  const limits = { streamsperconnection: STREAMS }
  const own = { listenaddr: '127.0.0.1:0', insecure: !tls, draintimeout: '100ms' }
  const values = { ...own, limits, services }
  const hub = createHub(loadConfig({ configfile: false, basedir, values }))
  undo.push(() => hub.close())
  return Number(new URL(await hub.listen()).port)
}

/**
 * Of the cases that a hub failed and Node passed, those that it fails again. A few wait for what becomes of a
 * frame for a stream that the answer may have ended already: which comes first is chance, there and here.
 */
async function failedAgain(names: readonly string[], place: Place): Promise<string[]> {
  let left = [...names]
  for (let n = 0; n < MORE_TRIES && left.length > 0; n++) {
    const sections = new Set(left.map((name) => name.split(' ', 1).join('')))
    const results = await h2spec(place, [...sections])
    left = left.filter((name) => results.get(name) !== 'passed')
  }
  return left
}

for (const tls of [false, true]) {
  const way = tls ? 'over TLS' : 'in cleartext'
  test(`h2spec ${way}: a hub passes what Node's own http2 passes`, async (t) => {
    if (!requirePeers(t, 'h2spec')) return
    const undo = new Undo(t)
    const bare = await h2spec({ port: await bareNode(undo, tls), target: '/', tls })
    const place = { port: await openHub(undo, tls), target: '/open/x', tls }
    const hub = await h2spec(place)
    const passed = `a hub passes ${those(hub, 'passed').length}, node:http2`
    console.error(`# h2spec ${way}: ${passed} ${those(bare, 'passed').length} of ${bare.size}`)
    for (const name of those(hub, 'failed')) {
      console.error(
        `#   failed by a hub ${bare.get(name) === 'failed' ? 'and Node' : 'alone'}: ${name}`,
      )
    }
    assert.ok(those(bare, 'passed').length + those(bare, 'failed').length >= LEAST_CASES)
    assert.deepEqual([...hub.keys()], [...bare.keys()])
    const suspects = those(hub, 'failed').filter(
      (name) => bare.get(name) !== 'failed' && (tls || name !== BOTH_SPOKEN),
    )
    assert.deepEqual(await failedAgain(suspects, place), [])
    assert.ok(those(hub, 'skipped').length <= those(bare, 'skipped').length)
  })
}
