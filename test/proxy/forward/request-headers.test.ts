import assert from 'node:assert/strict'
import test from 'node:test'
import fc from '../../fast-check.ts'
import { RequestHeaders } from '../../../proxy/forward/request-headers.ts'
import type { Passage } from '../../../proxy/forward/passage.ts'
import type { Service } from '../../../proxy/service.ts'
import { passageOf, service } from './forwarding.ts'

const MACAROON = 'AgEEdGVzdA'
const PREIMAGE = 'ab'.repeat(32)

function sent(
  raw: readonly string[],
  { of = {}, passage = {} }: { of?: Partial<Service>; passage?: Partial<Passage> } = {},
): [string, string][] {
  const to = service({}, of)
  const facts = {
    passage: passageOf({ url: '/', headers: { host: 'shop.test' } }, to, passage),
    peer: '192.0.2.7',
  }
  const lines = new RequestHeaders(to).lines(raw, facts)
  const pairs: [string, string][] = []
  for (let i = 0; i < lines.length; i += 2) pairs.push([lines[i] ?? '', lines[i + 1] ?? ''])
  return pairs
}

const valuesOf = (pairs: readonly [string, string][], name: string) =>
  pairs.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value)

test('what is added when nothing is sent', () => {
  assert.deepEqual(sent([]), [
    ['X-Forwarded-For', '192.0.2.7'],
    ['X-Forwarded-Proto', 'http'],
    ['X-Forwarded-Host', 'shop.test'],
    ['X-Pinhole-Service', 'shop'],
  ])
  const paid = { tokenId: 'aa', priceMsat: 1_000n, scheme: 'L402' } as const
  assert.deepEqual(sent([], { passage: { paid, secure: true } }).slice(1), [
    ['X-Forwarded-Proto', 'https'],
    ['X-Forwarded-Host', 'shop.test'],
    ['X-Pinhole-Service', 'shop'],
    ['X-Pinhole-Token-Id', 'aa'],
    ['X-Pinhole-Scheme', 'L402'],
    ['X-Pinhole-Paid-Msat', '1000'],
  ])
})

// Header as sent, and the values that arrive under its name.
const TABLE: readonly (readonly [name: string, value: string, arrives: readonly string[]])[] = [
  ['X-Any', 'thing', ['thing']],
  ['User-Agent', 'curl', ['curl']],
  ['Authorization', 'Bearer abcL402', ['Bearer abcL402']],
  ['Authorization', 'Basic TDQwMg==', ['Basic TDQwMg==']],
  ['Authorization', `L402 ${MACAROON}:${PREIMAGE}`, []],
  ['authorization', `lsat ${MACAROON}:${PREIMAGE}`, []],
  ['Authorization', `  LSAT ${MACAROON}:${PREIMAGE}`, []],
  ['Authorization', `Bearer x, L402 ${MACAROON}:${PREIMAGE}`, []],
  ['Authorization', `xL402 ${MACAROON}:${PREIMAGE}`, []],
  ['Macaroon', '0201', []],
  ['Grpc-Metadata-macaroon', '0201', []],
  ['Cookie', 'a=1; pinhole_l402_shop=x; b=2', ['a=1; b=2']],
  ['Cookie', 'pinhole_l402_shop=x', []],
  ['Cookie', 'a=pinhole_l402_', ['a=pinhole_l402_']],
  ['Cookie', 'a=1; __Host-pinhole=secret; b=2', ['a=1; b=2']],
  ['Cookie', 'pinhole_console=secret', []],
  ['Host', 'shop.test', []],
  ['Content-Length', '5', []],
  ['Expect', '100-continue', []],
  ['Connection', 'keep-alive', []],
  ['Keep-Alive', 'timeout=5', []],
  ['Proxy-Authorization', 'Basic x', []],
  ['Proxy-Connection', 'keep-alive', []],
  ['TE', 'gzip', []],
  ['TE', 'gzip, Trailers', ['trailers']],
  ['Trailer', 'x-sum', []],
  ['Transfer-Encoding', 'chunked', []],
  ['Upgrade', 'websocket', []],
  ['HTTP2-Settings', 'AAMAAABkAAQAAP__', []],
  ['X-Forwarded-For', '198.51.100.1', ['198.51.100.1, 192.0.2.7']],
  ['X-Forwarded-Proto', 'https', ['http']],
  ['X-Forwarded-Host', 'evil.test', ['shop.test']],
  ['X-Forwarded-Port', '443', []],
  ['Forwarded', 'for=198.51.100.1', []],
  ['X-Real-IP', '198.51.100.1', []],
  ['x_forwarded_for', '198.51.100.1', []],
  ['X-Real_IP', '198.51.100.1', []],
  ['X-Pinhole-Service', 'other', ['shop']],
  ['x-pinhole-paid-msat', '1', []],
  ['X_Pinhole_Token_Id', 'aa', []],
  ['X-Pinhole_Scheme', 'L402', []],
  [':path', '/', []],
]
for (const [name, value, arrives] of TABLE) {
  test(`${name}: ${value}`, () => {
    assert.deepEqual(valuesOf(sent([name, value]), name.toLowerCase()), arrives)
  })
}

test('headers that Connection names end here, ours do not', () => {
  const raw = ['Connection', 'close, X-Secret', 'x-secret', '1', 'X-Forwarded-For', '1.2.3.4']
  const got = sent([
    ...raw,
    'connection',
    'x-forwarded-for, X-Pinhole-Service, cookie',
    'Cookie',
    'a=1',
  ])
  assert.deepEqual(
    got.map(([name]) => name),
    ['X-Forwarded-For', 'X-Forwarded-Proto', 'X-Forwarded-Host', 'X-Pinhole-Service'],
  )
  assert.deepEqual(valuesOf(got, 'x-forwarded-for'), ['192.0.2.7'])
})

test('trailers bring past neither a credential nor a word of ours', () => {
  const of = { headers: [['x-api-key', 'ours']] as const, forwardCredential: true }
  const rules = new RequestHeaders(service({}, of))
  const forbidden = [
    ...['X-Pinhole-Token-Id', 'x_pinhole_service', 'X-Api-Key', 'x-api_key', 'Authorization'],
    ...['Cookie', 'X-Forwarded-For', 'Forwarded', 'X-Real-IP', 'Host', 'Content-Length', 'TE'],
    ...['Transfer-Encoding', 'Connection', 'Trailer', 'Expect', ':path', 'Upgrade'],
  ]
  const raw = forbidden.flatMap((name) => [name, '1'])
  assert.deepEqual(rules.trailers(['X-Sum', 'a', ...raw, 'grpc-status', '0']), [
    ...['X-Sum', 'a', 'grpc-status', '0'],
  ])
})

test('a session of the console is kept from services that are sent credentials', () => {
  const raw = ['Cookie', '__Host-pinhole=secret; pinhole_l402_shop=x']
  const got = sent(raw, { of: { forwardCredential: true } })
  assert.deepEqual(valuesOf(got, 'cookie'), ['pinhole_l402_shop=x'])
})

test('a trusted proxy is believed', () => {
  const raw = [
    'X-Forwarded-Proto',
    'https',
    'X-Forwarded-Host',
    'a.test',
    'Forwarded',
    'for=1.2.3.4',
  ]
  const got = sent([...raw, 'X-Real-IP', '1.2.3.4'], { passage: { trustedProxy: true } })
  for (let i = 0; i < raw.length; i += 2) {
    assert.deepEqual(valuesOf(got, raw[i]?.toLowerCase() ?? ''), [raw[i + 1]])
  }
  assert.deepEqual(valuesOf(got, 'x-real-ip'), ['1.2.3.4'])
})

test("the operator's headers replace the client's, but none that frames the message", () => {
  const headers = [
    ['X-Api-Key', 'secret'],
    ['authorization', 'Bearer ours'],
    ['x-forwarded-proto', 'https'],
    ['transfer-encoding', 'chunked'],
    ['content-length', '1'],
  ] as const
  const raw = ['x-api-key', 'a', 'X_API_KEY', 'b', 'Authorization', 'Bearer theirs']
  const got = sent(raw, { of: { headers, forwardCredential: true } })
  assert.deepEqual(valuesOf(got, 'x-api-key'), ['secret'])
  assert.deepEqual(valuesOf(got, 'x_api_key'), [])
  assert.deepEqual(valuesOf(got, 'authorization'), ['Bearer ours'])
  assert.deepEqual(valuesOf(got, 'x-forwarded-proto'), ['https'])
  assert.deepEqual(valuesOf(got, 'transfer-encoding'), [])
  assert.deepEqual(valuesOf(got, 'content-length'), [])
})

test('property: no spelling of a header brings a credential or a word of ours past', () => {
  const name = fc
    .constantFrom('macaroon', 'grpc-metadata-macaroon', 'x-pinhole-paid-msat', 'x-pinhole-token-id')
    .chain((text) =>
      fc
        .array(fc.boolean(), { minLength: text.length, maxLength: text.length })
        .map((upper) =>
          [...text].map((c, i) => (upper[i] ? c.toUpperCase().replace('-', '_') : c)).join(''),
        ),
    )
  fc.assert(
    fc.property(fc.array(name), (names) => {
      const got = sent(names.flatMap((one) => [one, 'x']))
      assert.ok(got.every(([, value]) => value !== 'x'))
    }),
  )
})
