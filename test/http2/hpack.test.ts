import assert from 'node:assert/strict'
import test from 'node:test'
import fc from '../fast-check.ts'
import { fromHex, text, toHex, utf8 } from '../../src/base/bytes.ts'
import { Http2Error } from '../../src/http2/error.ts'
import { HpackDecoder } from '../../src/http2/hpack-decoder.ts'
import { HpackEncoder } from '../../src/http2/hpack-encoder.ts'
import type { Field } from '../../src/http2/hpack-table.ts'
import { huffmanDecode, huffmanEncode } from '../../src/http2/huffman.ts'

const RUNS = 10_000
const LIMIT = 65_536
const bytes = (hex: string) => fromHex(hex.replaceAll(' ', '')) ?? assert.fail(`no hex: ${hex}`)
const decodeAll = (blocks: string[]) => {
  const decoder = new HpackDecoder(LIMIT)
  return blocks.map((block) => decoder.decode(bytes(block)))
}

const FIRST: Field[] = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', 'www.example.com'],
]
const REQUESTS: Field[][] = [
  FIRST,
  [...FIRST, ['cache-control', 'no-cache']],
  [
    [':method', 'GET'],
    [':scheme', 'https'],
    [':path', '/index.html'],
    [':authority', 'www.example.com'],
    ['custom-key', 'custom-value'],
  ],
]

test('RFC 7541 C.2: the four forms of a field', () => {
  const cases: [string, Field][] = [
    [
      '400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572',
      ['custom-key', 'custom-header'],
    ],
    ['040c 2f73 616d 706c 652f 7061 7468', [':path', '/sample/path']],
    ['1008 7061 7373 776f 7264 0673 6563 7265 74', ['password', 'secret']],
    ['82', [':method', 'GET']],
  ]
  for (const [block, field] of cases) assert.deepEqual(decodeAll([block]), [[field]])
})

test('RFC 7541 C.3 and C.4: three requests, plain and in Huffman code', () => {
  const plain = [
    '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
    '8286 84be 5808 6e6f 2d63 6163 6865',
    '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
  ]
  const huffman = [
    '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
    '8286 84be 5886 a8eb 1064 9cbf',
    '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
  ]
  assert.deepEqual(decodeAll(plain), REQUESTS)
  assert.deepEqual(decodeAll(huffman), REQUESTS)
  const encoder = new HpackEncoder()
  const encoded = REQUESTS.map((fields) => toHex(encoder.encode(fields)))
  assert.deepEqual(
    encoded,
    huffman.map((block) => block.replaceAll(' ', '')),
  )
})

test('RFC 7541 C.6: responses through a table of 256 bytes, with evictions', () => {
  const blocks = [
    '3fe1 0148 8264 0258 85ae c377 1a4b 6196 d07a be94 1054 d444 a820 0595 040b 8166 e082 a62d 1bff 6e91 9d29 ad17 1863 c78f 0b97 c8e9 ae82 ae43 d3',
    '4883 640e ffc1 c0bf',
    '88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07',
  ]
  const date = 'Mon, 21 Oct 2013 20:13:21 GMT'
  const location = 'https://www.example.com'
  assert.deepEqual(decodeAll(blocks), [
    [
      [':status', '302'],
      ['cache-control', 'private'],
      ['date', date],
      ['location', location],
    ],
    [
      [':status', '307'],
      ['cache-control', 'private'],
      ['date', date],
      ['location', location],
    ],
    [
      [':status', '200'],
      ['cache-control', 'private'],
      ['date', 'Mon, 21 Oct 2013 20:13:22 GMT'],
      ['location', location],
      ['content-encoding', 'gzip'],
      ['set-cookie', 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1'],
    ],
  ])
})

test('the header lists that Go sent in the recorded connection', () => {
  const [block] = [
    '83864595626b2b22f394742675fb857c651d099d8bd3949d7f41036c6e645f8b1d75d0620d263d4c4d65647a8a9acac8b4c7602bb6fae040027465864d833505b11f',
  ]
  const [fields = []] = decodeAll([block])
  assert.deepEqual(
    fields.filter(([name]) => name !== ':path'),
    [
      [':method', 'POST'],
      [':scheme', 'http'],
      [':authority', 'lnd'],
      ['content-type', 'application/grpc'],
      ['user-agent', 'grpc-go/1.59.0'],
      ['te', 'trailers'],
    ],
  )
})

test('a call takes ten bytes from the second time on, and the same list is not encoded again', () => {
  const fields: Field[] = [
    [':method', 'POST'],
    [':path', '/lnrpc.Lightning/AddInvoice'],
    ['content-type', 'application/grpc'],
    ['macaroon', '0a1b'.repeat(510)],
  ]
  const encoder = new HpackEncoder()
  const decoder = new HpackDecoder(LIMIT)
  assert.deepEqual(decoder.decode(encoder.encode(fields)), fields)
  const second = encoder.encode(fields)
  assert.equal(second.length, 4)
  assert.deepEqual(decoder.decode(second), fields)
  assert.equal(encoder.encode(fields), second)
  const timeout: Field = ['grpc-timeout', '5S']
  assert.deepEqual(decoder.decode(encoder.encode(fields, [timeout])), [...fields, timeout])
})

test('the peer may shrink the table; what it held is sent anew', () => {
  const fields: Field[] = [['macaroon', 'ab'.repeat(100)]]
  const encoder = new HpackEncoder()
  const decoder = new HpackDecoder(LIMIT)
  decoder.decode(encoder.encode(fields))
  encoder.resize(0)
  const small = encoder.encode(fields)
  assert.equal(small[0], 0x20)
  assert.deepEqual(decoder.decode(small), fields)
  encoder.resize(100)
  encoder.resize(65_536)
  assert.deepEqual(decoder.decode(encoder.encode(fields)), fields)
  assert.deepEqual(decoder.decode(encoder.encode(fields)), fields)
  assert.equal(encoder.encode(fields).length, 1)
})

test('what breaks HPACK is refused: RFC 7541 §2.3.3, §4.2, §5.1, §5.2', () => {
  const cases = [
    ['c6', 'an index beyond both tables'],
    ['80', 'index 0'],
    ['3fe21f', 'a table larger than announced'],
    ['82 20', 'a size update after a field'],
    ['ff ffffffff 7f', 'an integer beyond 2^28'],
    ['ff 8080808080 00', 'an integer of endless zeroes'],
    ['7f', 'an integer without an end'],
    ['40 05 6162', 'a string past its block'],
    ['40 01 61', 'a value that is missing'],
    ['00 01 61 81 00', 'Huffman padding of zeroes'],
    ['00 01 61 82 ffff', 'Huffman padding of more than 7 bits'],
    ['00 01 61 84 ffffffff', 'the end-of-string symbol'],
  ]
  for (const [block = '', why] of cases) {
    assert.throws(() => decodeAll([block]), Http2Error, why)
  }
})

test('a list is bounded as a whole, and before its strings are made', () => {
  const fits: Field[] = [['a', 'b'.repeat(67)]]
  const over: Field[] = [['a', 'b'.repeat(68)]]
  assert.deepEqual(new HpackDecoder(100).decode(new HpackEncoder().encode(fits)), fits)
  assert.throws(() => new HpackDecoder(100).decode(new HpackEncoder().encode(over)), {
    code: 'ERR_HTTP2_FRAME',
    message: /header list longer/,
  })
  // An indexed bomb: one field of 4 kB, named a thousand times by a byte each.
  const encoder = new HpackEncoder()
  const block = encoder.encode([['x', 'y'.repeat(3_000)]])
  const decoder = new HpackDecoder(LIMIT)
  decoder.decode(block)
  assert.throws(() => decoder.decode(new Uint8Array(1_000).fill(0xbe)), Http2Error)
})

test('Huffman code and back is the same, whatever the bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (input) => {
      assert.deepEqual(huffmanDecode(huffmanEncode(input), 300), input)
    }),
    { numRuns: RUNS },
  )
  assert.equal(toHex(huffmanEncode(utf8('www.example.com'))), 'f1e3c2e5f23a6ba0ab90f4ff')
  assert.equal(
    text(huffmanDecode(bytes('9d29ad171863c78f0b97c8e9ae82ae43d3'), 99)),
    'https://www.example.com',
  )
})

const token = fc.stringMatching(/^[a-z0-9-]{1,20}$/)
const value = fc.oneof(
  fc.constantFrom('', '200', 'trailers'),
  fc.string({ maxLength: 60, unit: 'binary-ascii' }),
  fc.string({ minLength: 1000, maxLength: 3000, unit: 'binary-ascii' }),
)
const field = fc.tuple(token, value)

test('encoder and decoder stay in step over any sequence of lists and table sizes', () => {
  const lists = fc.array(fc.tuple(fc.array(field, { maxLength: 6 }), fc.option(fc.nat(8192))), {
    maxLength: 8,
  })
  fc.assert(
    fc.property(lists, (steps) => {
      const encoder = new HpackEncoder()
      const decoder = new HpackDecoder(LIMIT)
      for (const [fields, size] of steps) {
        if (size !== null) encoder.resize(size)
        assert.deepEqual(decoder.decode(encoder.encode(fields)), fields)
        assert.deepEqual(decoder.decode(encoder.encode(fields)), fields)
      }
    }),
    { numRuns: 1_000 },
  )
})

test('any bytes decode to a list within the limit or to a coded error', () => {
  const anything = fc.uint8Array({ maxLength: 400 })
  fc.assert(
    fc.property(fc.array(anything, { maxLength: 3 }), fc.nat(2_000), (blocks, limit) => {
      const decoder = new HpackDecoder(limit)
      try {
        for (const block of blocks) {
          const fields = decoder.decode(block)
          const size = fields.reduce((sum, [name, text]) => sum + name.length + text.length + 32, 0)
          assert.ok(size <= limit)
        }
      } catch (error) {
        assert.ok(error instanceof Http2Error, String(error))
      }
    }),
    { numRuns: RUNS },
  )
})
