import assert from 'node:assert/strict'
import test from 'node:test'
import fc from '../../fast-check.ts'
import { concat, toHex, utf8 } from '../../../src/base/bytes.ts'
import { GrpcCode, PinholeError } from '../../../src/base/errors.ts'
import { bakeMacaroon } from '../../../src/sandbox/macaroon.ts'
import { parseAuthData } from '../../../mailbox/rpc/auth-data.ts'
import { MessageReader, frameMessage } from '../../../mailbox/rpc/messages.ts'
import { metadataFault, requestFields, timeoutField } from '../../../mailbox/rpc/metadata.ts'
import { nodeError } from '../../../mailbox/rpc/node-error.ts'
import { allows, macaroonOperations, readOnly } from '../../../mailbox/rpc/permissions.ts'
import { percentEncode, readStatus, refusedByHttp } from '../../../mailbox/rpc/status.ts'

const RUNS = { numRuns: 10_000 }

test('auth data becomes metadata line by line, as in Go', () => {
  const cases: [string, [string, string][]][] = [
    ['Macaroon: 0201ab', [['macaroon', '0201ab']]],
    [
      'Macaroon: 0201\r\nX-Node: alice',
      [
        ['macaroon', '0201'],
        ['x-node', 'alice'],
      ],
    ],
    ['Macaroon: a: b\r\nno header\r\nB: c', [['b', 'c']]],
    ['', []],
  ]
  for (const [text, expected] of cases) assert.deepEqual(parseAuthData(utf8(text)), expected)
  for (const bad of [
    'Ma caroon: 00',
    'Macaroon: \u00fc',
    'te: trailers',
    'grpc-timeout: 1S',
    ': x',
  ]) {
    assert.throws(() => parseAuthData(utf8(bad)), { code: 'ERR_NOISE_AUTH_DATA' }, bad)
  }
  const secret = 'deadbeef\u0007'
  assert.throws(
    () => parseAuthData(utf8(`Macaroon: ${secret}`)),
    (error: unknown) => error instanceof Error && !error.message.includes('deadbeef'),
  )
})

test('auth data of any bytes gives metadata that can be sent, or a coded error', () => {
  const line = fc.tuple(fc.string(), fc.constantFrom(': ', ':', '\r\n'), fc.string())
  const text = fc.array(line, { maxLength: 4 }).map((lines) => utf8(lines.flat().join('')))
  fc.assert(
    fc.property(fc.oneof(text, fc.uint8Array({ maxLength: 80 })), (bytes) => {
      try {
        for (const field of parseAuthData(bytes)) assert.equal(metadataFault(field), undefined)
      } catch (error) {
        assert.ok(
          error instanceof PinholeError && error.code === 'ERR_NOISE_AUTH_DATA',
          String(error),
        )
      }
    }),
    RUNS,
  )
})

test('messages come out as they went in, however the bytes were cut', () => {
  const messages = fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 5 })
  fc.assert(
    fc.property(
      messages,
      fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 }),
      (sent, cuts) => {
        const bytes = concat(...sent.map(frameMessage))
        const reader = new MessageReader(60)
        const read: Uint8Array[] = []
        for (let at = 0, cut = 0; at < bytes.length; cut++) {
          const size = cuts[cut % cuts.length] ?? 1
          read.push(...reader.read(bytes.subarray(at, at + size)))
          at += size
        }
        assert.deepEqual(read, sent)
        assert.equal(reader.partial, false)
      },
    ),
    RUNS,
  )
})

test('any bytes are messages within the limit, or a coded error', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), fc.nat(100), (pieces, limit) => {
      const reader = new MessageReader(limit)
      try {
        for (const piece of pieces) {
          for (const message of reader.read(piece)) assert.ok(message.length <= limit)
        }
      } catch (error) {
        assert.ok(error instanceof PinholeError, String(error))
      }
    }),
    RUNS,
  )
})

test('a status is read from whatever the trailers say', () => {
  const cases: [string, string, number, string][] = [
    ['0', '', GrpcCode.ok, ''],
    ['5', 'unable to locate invoice', GrpcCode.notFound, 'unable to locate invoice'],
    ['2', '%C3%BC%20100%', GrpcCode.unknown, 'ü 100%'],
    ['2', '%zz%4', GrpcCode.unknown, '%zz%4'],
    ['17', '', GrpcCode.unknown, ''],
    ['-1', '', GrpcCode.unknown, ''],
    ['x', '', GrpcCode.unknown, ''],
  ]
  for (const [code, message, expected, text] of cases) {
    const status = readStatus([
      ['grpc-status', code],
      ['grpc-message', message],
    ])
    assert.deepEqual(status, { code: expected, message: text })
  }
  assert.equal(readStatus([]), undefined)
  assert.equal(
    refusedByHttp([
      [':status', '200'],
      ['content-type', 'application/grpc+proto'],
    ]),
    undefined,
  )
  assert.equal(refusedByHttp([[':status', '503']])?.code, GrpcCode.unavailable)
  assert.equal(
    refusedByHttp([
      [':status', '200'],
      ['content-type', 'text/html'],
    ])?.code,
    GrpcCode.unknown,
  )
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (message) => {
      const encoded = percentEncode(message)
      assert.match(encoded, /^[\x20-\x7e]*$/)
      const status = readStatus([
        ['grpc-status', '2'],
        ['grpc-message', encoded],
      ])
      assert.equal(status?.message, message)
    }),
    RUNS,
  )
})

test('deadlines take eight digits at most and are never shorter than asked', () => {
  const cases: [number, string][] = [
    [1, '1m'],
    [0.2, '1m'],
    [99_999_999, '99999999m'],
    [100_000_000, '100000S'],
    [1e12, '16666667M'],
    [1e30, '99999999H'],
  ]
  for (const [ms, value] of cases) assert.deepEqual(timeoutField(ms), ['grpc-timeout', value])
})

test('the order of request headers is that of PROTOCOL-HTTP2, metadata last', () => {
  const fields = requestFields('/a.B/C', [['macaroon', '00']])
  assert.deepEqual(
    fields.map(([name]) => name),
    [':method', ':scheme', ':path', ':authority', 'content-type', 'user-agent', 'te', 'macaroon'],
  )
  for (const path of ['', 'a.B/C', '/a.B', '/a.B/C/D', '/a b/C']) {
    assert.throws(() => requestFields(path, []), TypeError, path)
  }
})

test("the node's texts decide: permission, expiry, and everything else as it is", () => {
  const cases: [number, string, string][] = [
    [2, 'permission denied', 'ERR_NODE_PERMISSION'],
    [2, 'proxy error with context lit: invalid macaroon: permission denied', 'ERR_NODE_PERMISSION'],
    [7, 'anything', 'ERR_NODE_PERMISSION'],
    [16, 'anything', 'ERR_NODE_PERMISSION'],
    [2, 'expected 1 macaroon, got 0', 'ERR_NODE_PERMISSION'],
    [2, 'verification failed: macaroon not found in storage', 'ERR_SESSION_EXPIRED'],
    [
      2,
      'invalid macaroon: caveat "time-before x" not satisfied: macaroon has expired',
      'ERR_SESSION_EXPIRED',
    ],
    [4, '', 'ERR_NODE_TIMEOUT'],
    [14, 'waiting to start, RPC services not available', 'ERR_NODE_CALL'],
  ]
  for (const [code, message, expected] of cases) {
    const error = nodeError('/a.B/C', { code, message })
    assert.equal(error.code, expected, message)
    assert.match(error.message, /\/a\.B\/C/)
  }
  assert.equal(nodeError('/a.B/C', { code: 14, message: '' }).grpc, GrpcCode.unavailable)
})

test('a macaroon shows what it allows', () => {
  const permissions = [
    { entity: 'info', actions: ['read'] },
    { entity: 'invoices', actions: ['read', 'write'] },
    { entity: 'uri', actions: ['/x.Y/Z'] },
  ]
  const operations = macaroonOperations(toHex(bakeMacaroon(new Uint8Array(32), permissions)))
  assert.deepEqual(operations, [
    ['info', 'read'],
    ['invoices', 'read'],
    ['invoices', 'write'],
    ['uri', '/x.Y/Z'],
  ])
  assert.ok(operations && !readOnly(operations))
  assert.ok(
    readOnly([
      ['info', 'read'],
      ['uri', '/lnrpc.Lightning/GetInfo'],
    ]),
  )
  assert.ok(!readOnly([['uri', '/lnrpc.Lightning/AddInvoice']]))
  assert.ok(allows(operations, '/lnrpc.Lightning/AddInvoice') && allows(operations, '/x.Y/Z'))
  assert.ok(!allows(operations, '/routerrpc.Router/SendPaymentV2'))
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array().map((bytes) => `02${toHex(bytes)}`),
        fc.string(),
      ),
      (macaroon) => {
        const found = macaroonOperations(macaroon)
        assert.ok(found === undefined || Array.isArray(found))
      },
    ),
    RUNS,
  )
})
