import assert from 'node:assert/strict'
import test from 'node:test'
import { bakeMacaroon, createAdminClient } from '../../src/admin/index.ts'

const URL = 'http://localhost:8081'
const refuse = () => Promise.reject(new Error('it was sent'))

test('a macaroon that is not there yet, or is no macaroon, is no call without one', () => {
  const untyped = (macaroon: unknown) => () => createAdminClient(URL, macaroon as string)
  assert.throws(untyped(Promise.resolve('aa')), { name: 'TypeError', message: /await/ })
  assert.throws(untyped(null), { name: 'TypeError', message: /macaroon/ })
  assert.throws(() => bakeMacaroon('aabb' as unknown as Uint8Array, {}), {
    name: 'TypeError',
    message: /^macaroon is a Uint8Array, not a string$/,
  })
})

test('an address with https where nothing speaks TLS is told in words', async () => {
  const code = 'ERR_SSL_WRONG_VERSION_NUMBER'
  const cause = Object.assign(new Error('0A00010B:SSL routines'), { code })
  const client = createAdminClient(URL, 'aa', {
    fetch: () => Promise.reject(new TypeError('fetch failed', { cause })),
  })
  await assert.rejects(client.getHealth(), /speaks no TLS; is it an http address/)
})

test('a name of a certificate file is told from a certificate', () => {
  const ca = '/var/lib/pinhole/tls.cert'
  assert.throws(() => createAdminClient(URL, 'aa', { ca }), {
    name: 'TypeError',
    message: /^ca is/,
  })
})

test('limits that are none are TypeErrors that name them, and nothing is sent', async () => {
  const client = createAdminClient(URL, 'aa', { fetch: refuse })
  const wrong: readonly (readonly [object, RegExp])[] = [
    ...[0, -1, Number.NaN, '5', null].map((timeoutMs) => [{ timeoutMs }, /^timeoutMs is/] as const),
    [{ signal: new AbortController() }, /^signal is an AbortSignal, not another object/],
  ]
  for (const [options, message] of wrong) {
    const expected = { name: 'TypeError', message }
    await assert.rejects(client.getHealth({}, options), expected)
    await assert.rejects(async () => {
      for await (const event of client.streamEvents({}, options)) assert.fail(event.type)
    }, expected)
  }
  const nothing = null as unknown as Record<never, never>
  await assert.rejects(client.getHealth(nothing), { name: 'TypeError', message: /not null/ })
})

test('a limit longer than any timer, or none, does not end a call at once', async () => {
  const slow: typeof fetch = async (_, init) => {
    await new Promise((resolve) => setTimeout(resolve, 20))
    init?.signal?.throwIfAborted()
    return new Response('data: {}\n\n', { status: 418 })
  }
  const client = createAdminClient(URL, 'aa', { fetch: slow })
  for (const timeoutMs of [Infinity, 1e12, 10_000.5]) {
    await assert.rejects(client.getHealth({}, { timeoutMs }), { code: 'ERR_HUB_ANSWER' })
    await assert.rejects(
      async () => {
        for await (const event of client.streamEvents({}, { timeoutMs })) assert.fail(event.type)
      },
      { code: 'ERR_HUB_ANSWER' },
    )
  }
})
