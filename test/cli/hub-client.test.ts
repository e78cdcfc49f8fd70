import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test, { type TestContext } from 'node:test'
import { adminServer } from '../admin/admin-server.ts'
import { onTerminal, pinhole } from './pinhole.ts'

const MACAROON = '0201'.padEnd(64, 'ab')

function folder(t: TestContext): string {
  const made = mkdtempSync(path.join(os.tmpdir(), 'pinhole-reach-'))
  t.after(() => rmSync(made, { recursive: true, force: true }))
  return made
}

const info = {
  network: 'regtest',
  listen_addr: 'localhost:8081',
  insecure: true,
  mpp_enabled: false,
  sessions_enabled: false,
  mpp_realm: '',
  version: '1.2.3',
  uptime_seconds: 5,
  sandbox: false,
  relay_enabled: true,
}
const answers = { getInfo: () => info, getHealth: () => ({ status: 'ok' }) }

const errorOf = (ran: { json(): unknown }) =>
  (ran.json() as { error: { code: string; message: string } }).error

test('a command finds the hub, its certificate and its macaroon by the configuration', async (t) => {
  const basedir = folder(t)
  const server = await adminServer(t, answers, { basedir })
  const file = path.join(basedir, 'pinhole.yaml')
  writeFileSync(file, `listenaddr: 127.0.0.1:${server.port}\n`)
  writeFileSync(path.join(basedir, 'admin.macaroon'), Buffer.from(MACAROON, 'hex'))
  const { code, json } = await pinhole('info', '--basedir', basedir)
  assert.equal(code, 0)
  assert.deepEqual(json(), info)
  assert.equal(server.calls[0]?.macaroon, MACAROON)

  // A hub that listens everywhere is asked on this machine; the macaroon may lie elsewhere.
  const elsewhere = path.join(basedir, 'elsewhere')
  mkdirSync(elsewhere)
  const other = path.join(elsewhere, 'other.macaroon')
  writeFileSync(other, `${MACAROON}\n`)
  writeFileSync(
    file,
    `listenaddr: 0.0.0.0:${server.port}\nadmin:\n  macaroonpath: ${other}\nservername: a.example\n`,
  )
  assert.equal((await pinhole('info', '--basedir', basedir)).code, 0)
  assert.equal(server.calls[1]?.macaroon, MACAROON)
})

test('--hub, --macaroon and --tls-cert win over the configuration and need none', async (t) => {
  const basedir = folder(t)
  const server = await adminServer(t, answers, { basedir })
  const empty = path.join(basedir, 'empty')
  const flags = ['--hub', `127.0.0.1:${server.port}`, '--basedir', empty, '--macaroon', MACAROON]
  const certificate = path.join(basedir, 'tls.cert')
  const trusting = await pinhole('info', ...flags, '--tls-cert', certificate)
  assert.equal(trusting.code, 0, trusting.err)
  const distrusting = await pinhole('info', ...flags, '--json')
  assert.equal(distrusting.code, 3)
  assert.equal(errorOf(distrusting).code, 'ERR_HUB_CERTIFICATE')
})

test('on a terminal an answer is words, elsewhere JSON', async (t) => {
  const { url } = await adminServer(t, answers)
  const flags = ['info', '--hub', url, '--macaroon', MACAROON]
  assert.match((await onTerminal(...flags)).out, /^network {2}regtest\n.*version {2}1\.2\.3\n/s)
  assert.deepEqual((await onTerminal(...flags, '--json')).json(), info)
})

test('health needs no macaroon and tells a hub from none by its exit code', async (t) => {
  const basedir = folder(t)
  const server = await adminServer(t, answers)
  const up = await pinhole('health', '--hub', server.url, '--basedir', basedir)
  assert.equal(up.code, 0)
  assert.equal(server.calls[0]?.macaroon, undefined)
  const down = await pinhole('health', '--hub', 'http://127.0.0.1:1', '--json')
  assert.equal(down.code, 3)
  assert.equal(errorOf(down).code, 'ERR_HUB_UNREACHABLE')
})

test('what is missing is named, with the code that says what kind it is', async (t) => {
  const basedir = folder(t)
  const { url } = await adminServer(t, {})
  const flags = ['--basedir', basedir, '--json']
  const noMacaroon = await pinhole('info', '--hub', url, ...flags)
  assert.equal(noMacaroon.code, 4)
  assert.match(
    errorOf(noMacaroon).message,
    /there is no \S+admin\.macaroon; .*admin\.enabled: true/,
  )
  const noFile = await pinhole('info', '--hub', url, '--macaroon', '/nowhere', ...flags)
  assert.equal(errorOf(noFile).message, 'there is no /nowhere')
  const noOperation = await pinhole('info', '--hub', url, '--macaroon', MACAROON, ...flags)
  assert.equal(errorOf(noOperation).code, 'ERR_ADMIN_OFF')
  assert.equal(noOperation.code, 3)
  const noAddress = await pinhole('info', '--hub', 'ftp://a', ...flags)
  assert.equal(noAddress.code, 2)
  assert.match(errorOf(noAddress).message, /--hub must be like/)
  writeFileSync(path.join(basedir, 'pinhole.yaml'), 'listenaddr: localhost:0\n')
  assert.match(errorOf(await pinhole('info', ...flags)).message, /name the hub by --hub/)
})

test('a macaroon that leaves the machine in cleartext is remarked upon', async () => {
  const { err } = await pinhole('info', '--hub', 'http://hub.invalid', '--macaroon', MACAROON)
  assert.match(err, /^The macaroon goes to hub\.invalid in cleartext/)
})

test('what others have sent cannot draw on the terminal', async (t) => {
  const name = 'a\u001b[2Jb\nc'
  const { url } = await adminServer(t, { getInfo: () => ({ ...info, mpp_realm: name }) })
  const { out } = await onTerminal('info', '--hub', url, '--macaroon', MACAROON)
  assert.match(out, /^mpp_realm {2}a \[2Jb c$/m)
})
