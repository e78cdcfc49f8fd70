import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import test from 'node:test'
import { toHex } from '../../src/base/bytes.ts'
import { ManualClock } from '../../src/base/clock.ts'
import { PinholeError } from '../../src/base/errors.ts'
import type { Log } from '../../src/base/log.ts'
import { bakeAdminMacaroon } from '../../src/admin/key-files.ts'
import { Sessions } from '../../src/admin/session.ts'
import { adminHub } from './hub.ts'

const MINUTE = 60_000
const HOME = '192.0.2.7'

function setUp() {
  const rootKey = Uint8Array.from(randomBytes(32))
  const clock = new ManualClock()
  const records: unknown[] = []
  const keep = (...record: unknown[]) => void records.push(record)
  const log: Log = { debug: keep, info: keep, warn: keep, error: keep, child: () => log }
  const sessions = new Sessions({ rootKey, clock, log })
  const macaroon = (...caveats: string[]) => toHex(bakeAdminMacaroon(rootKey, caveats))
  const open = (key: Parameters<Sessions['open']>[0], address = HOME): string => {
    const opened = sessions.open(key, address)
    return opened instanceof PinholeError ? opened.code : opened.secret
  }
  const scopes = (secret: string, address = HOME) =>
    [...(sessions.entry(secret, address)?.scopes ?? ['ended'])].join(' ')
  return { clock, records, sessions, macaroon, open, scopes }
}

test('a link opens one session, once, within five minutes', () => {
  const { clock, sessions, macaroon, open, scopes } = setUp()
  const { code, endsAtMs } = sessions.link(macaroon('scope = read'))
  assert.equal(endsAtMs, clock.wall() + 5 * MINUTE)
  assert.ok(Buffer.from(code, 'base64url').length >= 16)
  clock.advance(5 * MINUTE - 1)
  assert.equal(scopes(open({ code })), 'none read')
  assert.equal(open({ code }), 'ERR_ADMIN_LOGIN')
  const late = sessions.link(macaroon()).code
  clock.advance(5 * MINUTE)
  assert.equal(open({ code: late }), 'ERR_ADMIN_LOGIN')
  assert.equal(open({ code: 'guessed' }), 'ERR_ADMIN_LOGIN')
})

test('caveats bind a session at each request as they bind its macaroon', () => {
  const { clock, macaroon, open, scopes } = setUp()
  const expires = new Date(clock.wall() + MINUTE).toISOString()
  const secret = open({ macaroon: macaroon(`expires = ${expires}`, `address = ${HOME}/32`) })
  assert.equal(scopes(secret), 'none read write pay')
  assert.equal(scopes(secret, '192.0.2.8'), 'ended')
  clock.advance(MINUTE)
  assert.equal(scopes(secret), 'ended')
  assert.equal(open({ macaroon: macaroon('colour = blue') }), 'ERR_ADMIN_MACAROON')
})

test('a session ends when it is idle, when it is old, and when it is ended', () => {
  const { clock, sessions, macaroon, open, scopes } = setUp()
  const idle = open({ macaroon: macaroon() })
  const used = open({ macaroon: macaroon() })
  const ended = open({ macaroon: macaroon() })
  sessions.end(ended, HOME)
  assert.equal(scopes(ended), 'ended')
  clock.advance(59 * MINUTE)
  assert.equal(scopes(used), 'none read write pay')
  clock.advance(MINUTE)
  assert.equal(scopes(idle), 'ended')
  for (let n = 0; n < 21; n++) {
    assert.equal(scopes(used), 'none read write pay')
    clock.advance(31 * MINUTE)
  }
  clock.advance(30 * MINUTE)
  assert.equal(scopes(used), 'ended')
})

test('sessions and links are bounded: the first makes room', () => {
  const { sessions, macaroon, open, scopes } = setUp()
  const opened = Array.from({ length: 65 }, () => open({ macaroon: macaroon() }))
  assert.equal(scopes(opened[0] ?? ''), 'ended')
  assert.equal(scopes(opened[1] ?? ''), 'none read write pay')
  const links = Array.from({ length: 33 }, () => sessions.link(macaroon()).code)
  assert.equal(open({ code: links[0] ?? '' }), 'ERR_ADMIN_LOGIN')
  assert.notEqual(open({ code: links[1] ?? '' }), 'ERR_ADMIN_LOGIN')
})

test('who guesses is told to wait, and the log holds no secret', () => {
  const { records, sessions, macaroon, open } = setUp()
  for (let n = 0; n < 20; n++) assert.equal(open({ code: `guess${n}` }), 'ERR_ADMIN_LOGIN')
  assert.equal(open({ code: 'guess' }), 'ERR_ADMIN_ATTEMPTS')
  const { code } = sessions.link(macaroon())
  const secret = open({ code })
  sessions.end(secret, HOME)
  const logged = JSON.stringify(records)
  assert.equal(records.length, 22)
  for (const hidden of [code, secret, macaroon(), 'guess1']) {
    assert.ok(!logged.includes(hidden), 'a secret in the log')
  }
})

test('a browser logs in by a link, asks by its cookie, and logs out', async (t) => {
  const { url, call, macaroon } = await adminHub(t)
  const { body } = await call('POST', '/login')
  const [, code = ''] = /^\/_pinhole\/#login=(.+)$/.exec(String(body['path'])) ?? []
  const own = { 'sec-fetch-site': 'same-origin', 'x-pinhole-console': '1' }
  const session = async (method: string, headers: object, sent?: object) => {
    const answer = await fetch(`${url}/_pinhole/session`, {
      method,
      headers: { ...headers, ...(sent ? { 'content-type': 'application/json' } : {}) },
      ...(sent ? { body: JSON.stringify(sent) } : {}),
    })
    const text = await answer.text()
    return { status: answer.status, text, set: answer.headers.get('set-cookie') ?? '' }
  }
  assert.equal((await session('POST', {}, { code })).status, 403)
  assert.equal((await session('POST', { ...own, origin: 'x' }, { code: '' })).status, 400)
  const opened = await session('POST', own, { code })
  assert.equal(opened.status, 200)
  assert.match(
    opened.set,
    /^pinhole_console=[\w-]{43}; Max-Age=43[12]\d\d; Path=\/; HttpOnly; SameSite=Strict$/,
  )
  assert.equal((await session('POST', own, { code })).status, 401)
  const [cookie = ''] = opened.set.split(';')
  const ask = async (method: string, headers: object) =>
    (await fetch(`${url}/api/admin/services/none`, { method, headers: { cookie, ...headers } }))
      .status
  assert.equal(await ask('GET', {}), 404)
  assert.equal(await ask('GET', { 'sec-fetch-site': 'none' }), 404)
  assert.equal(await ask('GET', { 'sec-fetch-site': 'same-site' }), 403)
  assert.equal(await ask('DELETE', own), 404)
  assert.equal(await ask('DELETE', { origin: url, 'x-pinhole-console': '1' }), 404)
  assert.equal(await ask('DELETE', { origin: url }), 403)
  assert.equal(await ask('DELETE', { 'sec-fetch-site': 'same-origin' }), 403)
  assert.equal(await ask('DELETE', { ...own, 'sec-fetch-site': 'cross-site' }), 403)
  assert.equal(await ask('DELETE', { 'x-pinhole-console': '1' }), 403)
  assert.equal(await ask('DELETE', { ...own, origin: 'https://other.test' }), 404)
  assert.match((await session('GET', { cookie })).text, /"scopes":\["read","write","pay"\]/)
  assert.equal((await session('DELETE', { cookie, ...own })).status, 204)
  assert.equal((await session('GET', { cookie })).text, '{"scopes":[],"expires_at":""}')
  assert.equal(await ask('GET', {}), 401)
  assert.equal((await session('POST', own, { macaroon })).status, 200)
  assert.equal((await session('POST', own, { macaroon: '00' })).status, 401)
})
