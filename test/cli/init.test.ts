import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { PassThrough } from 'node:stream'
import test, { type TestContext } from 'node:test'
import { loadConfig } from '../../src/config/load.ts'
import { firstConfig } from '../../src/cli/first-config.ts'
import { type InitGiven, readAnswers } from '../../src/cli/init-questions.ts'
import { until } from '../mailbox/ends.ts'
import { pinhole } from './pinhole.ts'

function folder(t: TestContext): string {
  const made = mkdtempSync(path.join(os.tmpdir(), 'pinhole-init-'))
  t.after(() => rmSync(made, { recursive: true, force: true }))
  return made
}

const API = ['--address', 'localhost:9000', '--price', '10']

test('what is written is accepted and says what was answered', async (t) => {
  const basedir = folder(t)
  const init = (...flags: readonly string[]) => pinhole('init', '--basedir', basedir, ...flags)
  const file = path.join(basedir, 'pinhole.yaml')
  const local = await init(...API)
  assert.equal(local.code, 0, local.err)
  assert.deepEqual(JSON.parse(local.out), { file })
  assert.match(local.err, /^Then:\n {2}pinhole pair /)
  assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.equal((await pinhole('config', 'check', '--basedir', basedir)).code, 0)
  const config = loadConfig({ basedir })
  assert.deepEqual([config.listenaddr, config.admin.enabled], ['localhost:8081', true])
  const [service] = config.services
  assert.deepEqual(
    [service?.address, service?.protocol, service?.price, service?.timeout],
    ['localhost:9000', 'http', 10, 30 * 86_400],
  )

  const direct = await init(
    ...['--address', 'https://up.example:443/', '--price', '7', '--servername', 'api.example.com'],
    ...['--lnd', 'localhost:10009', '--lnddir', '/lnd', '--network', 'regtest', '--force'],
  )
  assert.equal(direct.code, 0, direct.err)
  assert.doesNotMatch(direct.err, /pinhole pair/)
  assert.equal((await pinhole('config', 'check', file)).code, 0)
  const { authenticator, servername, listenaddr, services } = loadConfig({ basedir })
  assert.deepEqual([servername, listenaddr], ['api.example.com', '0.0.0.0:443'])
  assert.deepEqual(
    [authenticator.lndhost, authenticator.tlspath, authenticator.macdir, authenticator.network],
    ['localhost:10009', '/lnd/tls.cert', '/lnd/data/chain/bitcoin/regtest', 'regtest'],
  )
  assert.deepEqual([services[0]?.address, services[0]?.protocol], ['up.example:443', 'https'])
  for (const line of readFileSync(file, 'utf8').split('\n')) assert.ok(line.length <= 120, line)
})

test('no configuration is written over or put out of use without --force', async (t) => {
  const basedir = folder(t)
  const aperture = path.join(basedir, 'aperture.yaml')
  writeFileSync(aperture, 'insecure: true\n')
  const refused = await pinhole('init', '--basedir', basedir, ...API)
  assert.equal(refused.code, 2)
  assert.match(refused.err, /aperture\.yaml exists already; --force/)
  const named = path.join(basedir, 'own.yaml')
  const flags = ['init', ...API, '--configfile', named]
  assert.equal((await pinhole(...flags)).code, 0)
  const before = readFileSync(named, 'utf8')
  assert.match((await pinhole(...flags, '--price', '11')).err, /own\.yaml exists already/)
  assert.equal(readFileSync(named, 'utf8'), before)
  assert.equal((await pinhole(...flags, '--price', '11', '--force')).code, 0)
  assert.match(readFileSync(named, 'utf8'), /price: 11\n/)
})

test('where nobody can be asked, what is missing or wrong is named', async (t) => {
  const basedir = folder(t)
  for (const [flags, said] of [
    [[], /--address is needed where nobody can be asked/],
    [['--address', 'a:1'], /--price is needed/],
    [['--address', 'a:1/x', '--price', '1'], /--address must be an address/],
    [['--address', 'a:1', '--price', '0'], /--price must be a whole number/],
    [[...API, '--servername', 'two words'], /--servername must be a name/],
    [[...API, '--lnd', 'nowhere'], /--lnd must be an address/],
    [[...API, '--lnd', 'a:1', '--network', 'moon'], /--network must be one of mainnet/],
  ] as const) {
    const { code, err } = await pinhole('init', '--basedir', basedir, ...flags)
    assert.equal(code, 2, flags.join(' '))
    assert.match(err, said)
  }
})

/** Answers to what is asked, in its order. */
async function answered(given: InitGiven, answers: readonly (readonly [RegExp, string])[]) {
  const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode() {} })
  const stderr = Object.assign(new PassThrough(), { isTTY: true })
  let shown = ''
  stderr.on('data', (chunk: Buffer) => (shown += chunk.toString()))
  const reading = readAnswers(given, input, { stdout: stderr, stderr })
  // What it comes to is awaited below.
  reading.catch(() => {})
  for (const [asked, answer] of answers) {
    await until(() => asked.test(shown))
    shown = ''
    input.write(answer)
  }
  return reading
}

test('on a terminal four questions are asked, and again what is answered wrong', async () => {
  const answers = await answered({}, [
    [/By what name/, 'api.example.com\r'],
    [/Where is the API/, 'nowhere\r'],
    [/must be an address/, ':9000\r'],
    [/What does a token/, '25\r'],
    [/gRPC port of your lnd/, '\r'],
  ])
  const expected = {
    servername: 'api.example.com',
    address: 'nowhere:9000',
    protocol: 'http',
    priceSats: 25,
    lnd: undefined,
  }
  assert.deepEqual(answers, expected)
  assert.match(firstConfig(answers), /servername: "api\.example\.com"/)
})

test('what was given is not asked, and Ctrl-C writes nothing', async () => {
  const given = { address: 'a:1', price: '1', lnd: '' }
  const answers = await answered(given, [[/By what name/, '\r']])
  assert.equal(answers.servername, '')
  const cancelled = answered(given, [[/By what name/, '\x03']])
  await assert.rejects(cancelled, { code: 'ERR_CLI_USAGE', message: 'nothing was written' })
})
