/** The README's quick start, typed as it stands there, in a home of its own: what it promises must happen. */
import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import test, { type TestContext } from 'node:test'
import { freePort } from './interop/relays.ts'

const root = path.resolve(import.meta.dirname, '..')
const START_WITHIN_MS = 60_000
const COMMAND_WITHIN_MS = 60_000
const PORT = 8081

/** Lines of the shell blocks below the heading, up to the next one. */
function quickStart(): { readonly start: string; readonly commands: readonly string[] } {
  const readme = readFileSync(path.join(root, 'README.md'), 'utf8')
  const [, section = ''] = /^## Try it\n([\s\S]*?)^## /m.exec(readme) ?? []
  const blocks = [...section.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, text = '']) => text)
  const lines = blocks.join('').replaceAll('\\\n', ' ').trim().split('\n')
  const [start = '', ...commands] = lines
  assert.equal(start, 'npm ci && npm start')
  assert.equal(commands.at(-1), 'npm ci && npm test', 'what follows is the tests themselves')
  return { start: 'npm start', commands: commands.slice(0, -1) }
}

const isFree = async (port: number): Promise<boolean> => {
  const server = net.createServer()
  const listening = once(server, 'listening').then(
    () => true,
    () => false,
  )
  server.listen(port, '127.0.0.1')
  const free = await listening
  if (free) {
    server.close()
    await once(server, 'close')
  }
  return free
}

/** Runs a line by the shell, in a group of its own that can be ended as a whole. */
function shell(line: string, home: string) {
  const env = { PATH: process.env['PATH'] ?? '', HOME: home, npm_config_update_notifier: 'false' }
  const child = spawn('sh', ['-c', line], { cwd: root, env, detached: true })
  const output = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk: Buffer) => (output.stdout += String(chunk)))
  child.stderr.on('data', (chunk: Buffer) => (output.stderr += String(chunk)))
  return { child, output, closed: once(child, 'close') as Promise<[number | null]> }
}

async function end(child: ChildProcess, closed: Promise<unknown>): Promise<void> {
  if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGTERM')
  await closed
}

async function run(line: string, home: string) {
  const { child, output, closed } = shell(line, home)
  const timer = setTimeout(() => void end(child, closed), COMMAND_WITHIN_MS)
  const [code] = await closed
  clearTimeout(timer)
  return { code, ...output }
}

/** Waits for the lines that `npm start` prints when it is ready. */
async function started(t: TestContext, line: string, home: string): Promise<string> {
  const { child, output, closed } = shell(line, home)
  t.after(() => end(child, closed))
  const deadline = Date.now() + START_WITHIN_MS
  while (!/"pay":|^pay /m.test(output.stdout)) {
    assert.equal(child.exitCode, null, output.stderr)
    assert.ok(Date.now() < deadline, `nothing printed: ${output.stdout}${output.stderr}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return output.stdout
}

test('the quick start does what the README says', async (t) => {
  const home = mkdtempSync(path.join(os.tmpdir(), 'pinhole-home-'))
  t.after(() => rmSync(home, { recursive: true, force: true }))
  const { start, commands } = quickStart()
  const asWritten = await isFree(PORT)
  const port = asWritten ? PORT : await freePort()
  if (!asWritten) t.diagnostic(`port ${PORT} is taken: the commands name ${port} in its place`)
  const here = (line: string) => line.replaceAll(`localhost:${PORT}`, `localhost:${port}`)
  const flag = asWritten ? '' : ` -- --listenaddr localhost:${port}`
  const printed = await started(t, start + flag, home)

  const [unpaid = '', paid = '', ...others] = commands.map(here)
  assert.deepEqual(others, [], 'every command is run')
  assert.ok(printed.includes(unpaid), `npm start prints: ${unpaid}`)
  assert.ok(printed.includes(paid), `npm start prints: ${paid}`)

  const refused = await run(unpaid, home)
  assert.equal(refused.code, 0, refused.stderr)
  assert.match(refused.stdout, /^HTTP\/1\.1 402 Payment Required/)
  assert.match(refused.stdout, /^www-authenticate: .*invoice="lnbcrt/im)

  const served = await run(paid, home)
  assert.equal(served.code, 0, served.stderr)
  assert.match(served.stdout, /You have paid for this/)
  assert.match(served.stdout, /"paidMsat": ?"10000"/)

  const accept = { accept: 'text/html' }
  const page = await fetch(here(`http://localhost:${PORT}/paid`), { headers: accept })
  assert.equal(page.status, 402)
  assert.match(await page.text(), /^<!doctype html>/i)
  assert.deepEqual(
    readdirSync(home).filter((name) => !['.npm', '.pinhole'].includes(name)),
    [],
    'nothing else is left at home',
  )
})
