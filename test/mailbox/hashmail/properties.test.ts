import assert from 'node:assert/strict'
import test from 'node:test'
import fc from '../../fast-check.ts'
import {
  fromBase64,
  fromBase64InScript,
  toBase64,
  toBase64InScript,
} from '../../../mailbox/hashmail/base64.ts'
import { FrameReader, grpcFrame } from '../../../mailbox/hashmail/grpc-frame.ts'
import * as json from '../../../mailbox/hashmail/json.ts'
import * as proto from '../../../mailbox/hashmail/proto.ts'

const RUNS = { numRuns: 10_000 }
const bytes = (maxLength = 300): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength })
const same = (a: Uint8Array | undefined, b: Uint8Array): void =>
  assert.deepEqual(a && Buffer.from(a), Buffer.from(b))

test('base64: both ways, with and without Buffer, four spellings', () => {
  fc.assert(
    fc.property(bytes(), (value) => {
      const text = toBase64(value)
      assert.equal(toBase64InScript(value), text)
      const bare = text.replaceAll('=', '')
      for (const form of [text, bare, url(text), url(bare)]) {
        same(fromBase64(form), value)
        same(fromBase64InScript(form, value.length), value)
      }
    }),
    RUNS,
  )
  function url(text: string): string {
    return text.replaceAll('+', '-').replaceAll('/', '_')
  }
})

test('base64: what is none is refused', () => {
  for (const text of [
    'A',
    'A===',
    'AA=A',
    'AA==A',
    '=',
    '====',
    'A A=',
    'AAAAé',
    'AA=\n',
    'AAA==',
  ]) {
    assert.equal(fromBase64(text), undefined, text)
  }
})

test('protobuf: what was encoded is decoded', () => {
  fc.assert(
    fc.property(bytes(), bytes(), (streamId, msg) => {
      const box = proto.decodeCipherBox(proto.encodeCipherBox(streamId, msg))
      same(box?.desc?.streamId, streamId)
      same(box?.msg, msg)
      same(proto.decodeCipherBoxDesc(proto.encodeCipherBoxDesc(streamId))?.streamId, streamId)
      const auth = proto.decodeCipherBoxAuth(proto.encodeCipherBoxAuth(streamId))
      same(auth?.desc?.streamId, streamId)
      assert.equal(auth?.lndAuth, true)
    }),
    RUNS,
  )
})

test('protobuf: any bytes are a message or not, never a throw', () => {
  const nearly = fc
    .tuple(bytes(), bytes(), fc.nat(), fc.nat(255))
    .map(([streamId, msg, at, byte]) => {
      const whole = proto.encodeCipherBox(streamId, msg)
      whole[at % whole.length] = byte
      return whole
    })
  fc.assert(
    fc.property(fc.oneof(bytes(), nearly), (input) => {
      const box = proto.decodeCipherBox(input)
      const msg = proto.cipherBoxMsg(input)
      if (box) same(msg, box.msg)
      assert.ok((msg?.length ?? 0) <= input.length)
      proto.decodeCipherBoxAuth(input)
      proto.decodeCipherBoxDesc(input)
      proto.decodeCipherInitResp(input)
    }),
    RUNS,
  )
})

test('protobuf: unknown fields are skipped, repeated ones merged, broken ones refused', () => {
  const of = (...parts: number[]): Uint8Array => new Uint8Array(parts)
  // An unknown varint, fixed64, fixed32 and bytes field, then desc twice (the second without an id).
  const box = proto.decodeCipherBox(
    of(0x18, 0x96, 0x01, 0x21, 1, 2, 3, 4, 5, 6, 7, 8, 0x2d, 1, 2, 3, 4, 0x32, 1, 9)
      .reduce<number[]>((all, byte) => [...all, byte], [])
      .concat([0x0a, 3, 0x0a, 1, 7, 0x0a, 0, 0x12, 1, 5])
      .reduce((out, byte, i) => ((out[i] = byte), out), new Uint8Array(30)),
  )
  same(box?.desc?.streamId, of(7))
  same(box?.msg, of(5))
  for (const broken of [of(0x0a), of(0x0a, 2, 0x0a), of(0x12, 0xff), of(0x03), of(0x12, 0x80)]) {
    assert.equal(proto.decodeCipherBox(broken), undefined)
  }
  assert.equal(proto.decodeCipherBox(of(0x02, 0)), undefined, 'field number 0')
})

test('frames: cut anywhere, the same messages come out', () => {
  fc.assert(
    fc.property(
      fc.array(bytes(), { maxLength: 5 }),
      fc.array(fc.nat(40), { maxLength: 60 }),
      (messages, cuts) => {
        const stream = Buffer.concat(messages.map(grpcFrame))
        const reader = new FrameReader()
        const found: Uint8Array[] = []
        let at = 0
        for (const cut of [...cuts, stream.length]) {
          reader.push(stream.subarray(at, at + cut))
          at = Math.min(stream.length, at + cut)
          for (let m = reader.next(); m; m = reader.next()) found.push(Buffer.from(m))
        }
        assert.deepEqual(
          found,
          messages.map((m) => Buffer.from(m)),
        )
        assert.equal(reader.partial, false)
      },
    ),
    RUNS,
  )
})

test('frames: an announced size costs no memory until the bytes come', () => {
  const reader = new FrameReader()
  reader.push(new Uint8Array([0, 0xff, 0xff, 0xff, 0xff, 1, 2, 3]))
  assert.equal(reader.length(), 0xffffffff)
  assert.equal(reader.next(), undefined)
  assert.equal(reader.partial, true)
})

test('JSON: what was written is read, and any text is read or refused', () => {
  fc.assert(
    fc.property(bytes(), bytes(), fc.string(), fc.nat(), (streamId, msg, noise, at) => {
      const text = json.formatCipherBox(streamId, msg)
      const box = json.parseCipherBox(text)
      assert.ok(!json.isRefused(box))
      same(box.desc?.streamId, streamId)
      same(box.msg, msg)
      const cut = at % text.length
      for (const input of [noise, text.slice(0, cut) + noise + text.slice(cut)]) {
        json.parseCipherBox(input)
        json.parseCipherBoxAuth(input)
        json.parseCipherBoxDesc(input)
        json.parseReceived(input)
      }
    }),
    RUNS,
  )
})

test('JSON: refusals', () => {
  const refused = (text: string): string => {
    const box = json.parseCipherBox(text)
    return json.isRefused(box) ? box.refused : assert.fail(`accepted: ${text}`)
  }
  assert.match(refused(''), /unexpected EOF/)
  assert.match(refused('[]'), /unexpected token/)
  assert.match(refused('{"msg":"AQ==","msg":"AQ=="}'), /\(line 1:15\): duplicate field "msg"/)
  assert.match(refused('{"desc":{"stream_id":"","streamId":""}}'), /duplicate field "streamId"/)
  assert.match(refused('{"desc":\n{"stream_id":"*"}}'), /\(line 2:14\): invalid value for bytes/)
  assert.match(refused('{"msg":1}'), /invalid value for bytes field msg: 1/)
  assert.match(refused('{"toString":1}'), /unknown field "toString"/)
  assert.match(refused('{"__proto__":1}'), /unknown field "__proto__"/)
  assert.match(refused(`{"msg":${'['.repeat(99_999)}`), /recursion/)
  assert.match(refused(`{${'"msg":null,'.repeat(100)}"msg":null}`), /too many fields/)
  assert.equal(json.isRefused(json.parseCipherBox('{}')), false)
})
