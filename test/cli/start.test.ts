import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import type { Readable } from 'node:stream'
import test, { type TestContext } from 'node:test'
import { welcome } from '../../src/cli/sandbox.ts'
import { get } from '../listener/serving.ts'
import { CLI, NODE_ARGS } from '../process.ts'

interface Run {
  readonly child: ChildProcess
  readonly exit: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  /** Resolves with the text so far once `pattern` is in it; rejects when the process ends before. */
  stdout(pattern: RegExp): Promise<RegExpExecArray>
  /** The same of what is logged. */
  said(pattern: RegExp): Promise<RegExpExecArray>
  stderr(): string
}

/** Runs the command line in a process with a home folder of its own. */
const pinhole = (t: TestContext, home: string, ...args: readonly string[]): Run =>
  node(t, home, CLI, ...args)

function node(t: TestContext, home: string, ...args: readonly string[]): Run {
  const child = spawn(process.execPath, [...NODE_ARGS, ...args], {
    env: { ...process.env, HOME: home, PINHOLE_BASEDIR: undefined },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const texts = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (texts.out += chunk))
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (texts.err += chunk))
  const exit = new Promise<Awaited<Run['exit']>>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }))
  })
  t.after(() => child.kill('SIGKILL'))
  const until = (stream: Readable, text: () => string, pattern: RegExp) =>
    new Promise<RegExpExecArray>((resolve, reject) => {
      const look = () => {
        const found = pattern.exec(text())
        if (found) resolve(found)
      }
      stream.on('data', look)
      void exit.then(({ code }) => reject(new Error(`ended with ${code}: ${texts.err}`)))
      look()
    })
  return {
    child,
    exit,
    stderr: () => texts.err,
    stdout: (pattern) => until(child.stdout, () => texts.out, pattern),
    said: (pattern) => until(child.stderr, () => texts.err, pattern),
  }
}

function home(t: TestContext, yaml?: string): string {
  const made = mkdtempSync(path.join(os.tmpdir(), 'pinhole-home-'))
  t.after(() => rmSync(made, { recursive: true }))
  if (yaml !== undefined) writeFileSync(path.join(made, 'pinhole.yaml'), yaml)
  return made
}

const ADDRESS = /"address":"(https?:\/\/[^"]+)"/

test('start with one key runs a relay over TLS; SIGTERM ends it in order with 0', async (t) => {
  const basedir = home(t, 'hashmail: { enabled: true }')
  const run = pinhole(t, basedir, 'start', '--basedir', basedir, '--listenaddr=127.0.0.1:0')
  const [, url = ''] = await run.stdout(ADDRESS)
  assert.match(url, /^https:/)
  assert.equal((await get(`${url}/_pinhole/health`)).status, 200)
  assert.deepEqual(readdirSync(basedir).sort(), [
    'pinhole.log',
    'pinhole.yaml',
    'tls.cert',
    'tls.key',
  ])
  run.child.kill('SIGTERM')
  assert.deepEqual(await run.exit, { code: 0, signal: null })
  assert.match(run.stderr(), /"msg":"the hub listens"/)
  assert.match(run.stderr(), /"msg":"the hub has ended"/)
})

test('an aperture.yaml in the base folder starts the hub; what is not acted upon is said', async (t) => {
  const basedir = home(t)
  const yaml = `
listenaddr: 127.0.0.1:0
insecure: true
dbbackend: sqlite
authenticator: { disable: true }
admin: { enabled: true }
tor: { v3: true }
hashmail: { enabled: true, messagerate: 1ms }
services: [{ name: open, address: 127.0.0.1:1, protocol: http, auth: 'off' }]
`
  writeFileSync(path.join(basedir, 'aperture.yaml'), yaml)
  const run = pinhole(t, basedir, 'start', '--basedir', basedir)
  const [, url = ''] = await run.stdout(ADDRESS)
  assert.equal((await get(`${url}/_pinhole/health`)).status, 200)
  assert.match(run.stderr(), /does not act on these sections .* yet: tor"/)
  run.child.kill('SIGINT')
  assert.deepEqual(await run.exit, { code: 0, signal: null })
})

test('SIGHUP takes a new configuration over, or none of a wrong one', async (t) => {
  const basedir = home(t)
  const file = path.join(basedir, 'pinhole.yaml')
  const write = (services: string) =>
    writeFileSync(file, `listenaddr: 127.0.0.1:0\ninsecure: true\nservices: [${services}]\n`)
  const service = (auth: string) => `{ name: dead, address: 127.0.0.1:1, auth: '${auth}' }`
  write(service('off'))
  const run = pinhole(t, basedir, 'start', '--basedir', basedir)
  const [, url = ''] = await run.stdout(ADDRESS)
  assert.equal((await get(url)).status, 502)
  write(`{ name: dead, price: many }`)
  run.child.kill('SIGHUP')
  await run.said(/the new configuration is wrong and was not taken/)
  assert.equal((await get(url)).status, 502)
  writeFileSync(file, '\n')
  run.child.kill('SIGHUP')
  await run.said(/pinhole\.yaml is empty/)
  rmSync(file)
  run.child.kill('SIGHUP')
  await run.said(/pinhole\.yaml is not there any more/)
  assert.equal((await get(url)).status, 502)
  // No node is paired: there is no invoice for what is not open any more.
  write(service('on'))
  run.child.kill('SIGHUP')
  await run.said(/the configuration was read again/)
  assert.equal((await get(url)).status, 503)
  run.child.kill('SIGTERM')
  assert.deepEqual(await run.exit, { code: 0, signal: null })
})

test('start --sandbox needs nothing and leaves nothing', async (t) => {
  const folder = home(t)
  const run = pinhole(t, folder, 'start', '--sandbox', '--listenaddr=127.0.0.1:0')
  const [, url = ''] = await run.stdout(ADDRESS)
  assert.match(url, /^http:/)
  const { text } = await get(`${url}/_pinhole/health`)
  assert.match(text, /"relay":\{"boxes":\d+\}/)
  run.child.kill('SIGTERM')
  assert.deepEqual(await run.exit, { code: 0, signal: null })
  for (const line of run.stderr().trim().split('\n')) assert.match(line, /"simulated":true/)
})

test('what the sandbox says leads from its address to a paid answer, then to the console', () => {
  const commands = { unpaid: 'curl -i U/paid', pay: 'pinhole fetch U/paid', operate: 'stats' }
  const node = { alias: 'sandbox', pubkey: '02', phrase: 'ten words' }
  const text = welcome('http://localhost:8081', { ...commands, console: 'U/_pinhole/' }, node)
  const said = ['http://localhost:8081', ...Object.values(commands).slice(0, 2), 'U/_pinhole/']
  const places = [...said, 'No real money moves'].map((part) => text.indexOf(part))
  assert.ok(places.every((at) => at >= 0))
  assert.deepEqual(
    places,
    places.toSorted((a, b) => a - b),
  )
})

test('a port in use ends the start with 1 and names the port', async (t) => {
  const taken = net.createServer().listen(0, '127.0.0.1')
  t.after(() => taken.close())
  await new Promise((resolve) => taken.once('listening', resolve))
  const { port } = taken.address() as net.AddressInfo
  const folder = home(t)
  const run = pinhole(t, folder, 'start', '--sandbox', `--listenaddr=127.0.0.1:${port}`)
  assert.deepEqual(await run.exit, { code: 1, signal: null })
  assert.match(
    run.stderr(),
    new RegExp(`cannot listen on 127.0.0.1, port ${port}: another program`),
  )
  assert.match(run.stderr(), /Free the port or choose another listenaddr\./)
  assert.match(run.stderr(), /docs\/errors\.md#err_listen_address/)
})

test('an uncaught error is logged and ends the process with 1', async (t) => {
  const folder = home(t)
  // What a fault in any part would do, once the hub listens.
  const script = `process.stdout.write = () => { queueMicrotask(() => { throw new Error('odd') }) }
    process.argv.push('pinhole', 'start', '--sandbox', '--listenaddr=127.0.0.1:0'); await import('${CLI}')`
  const run = node(t, folder, '--input-type=module', '--eval', script)
  assert.deepEqual(await run.exit, { code: 1, signal: null })
  assert.match(run.stderr(), /"name":"Error","message":"odd".*"msg":"uncaught error"/)
})

test('a second signal ends a hub that still drains', async (t) => {
  const basedir = home(t)
  const args = ['--sandbox', '--listenaddr=127.0.0.1:0', '--draintimeout=1h']
  const run = pinhole(t, basedir, 'start', ...args)
  const [, url = ''] = await run.stdout(ADDRESS)
  // A request whose body never comes holds the drain up.
  const socket = net.connect(Number(new URL(url).port), '127.0.0.1')
  socket.on('error', () => {})
  socket.write(
    'POST /x HTTP/1.1\r\nhost: a\r\ncontent-type: text/plain\r\ncontent-length: 9\r\n\r\nx',
  )
  assert.equal((await get(`${url}/_pinhole/health`)).status, 200)
  run.child.kill('SIGTERM')
  while (!run.stderr().includes('a second signal ends it at once')) await new Promise(setImmediate)
  run.child.kill('SIGTERM')
  assert.deepEqual(await run.exit, { code: 1, signal: null })
  socket.destroy()
})
