import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import { fromHex, toHex } from '../../../src/base/bytes.ts'
import { FrameReader, grpcFrame } from '../../../mailbox/hashmail/grpc-frame.ts'
import * as json from '../../../mailbox/hashmail/json.ts'
import * as names from '../../../mailbox/hashmail/names.ts'
import * as proto from '../../../mailbox/hashmail/proto.ts'

const folder = path.resolve(import.meta.dirname, '../../vectors/lnc')
const load = (name: string): unknown => JSON.parse(readFileSync(path.join(folder, name), 'utf8'))
const bytes = (hex: string): Uint8Array => fromHex(hex) ?? assert.fail('not hex')

interface MessageCase {
  name: string
  message: string
  fields: { stream_id?: string; msg?: string }
  protobuf: string
  grpc_frame: string
  json: string
}
interface JsonCase {
  name: string
  text: string
  accepted: boolean
  error?: string
  decoded_msg?: string
  decoded_stream_id?: string
}
const vectors = load('hashmail_proto.json') as {
  constants: { methods: Record<names.HashmailMethod, string>; rest: Record<string, string> }
  cases: {
    messages: MessageCase[]
    json_input: JsonCase[]
    rest_stream_texts: { name: string; text: string }[]
  }
}

test('paths are those of the recordings', () => {
  for (const [method, recorded] of Object.entries(vectors.constants.methods)) {
    assert.equal(names.grpcPath(method as names.HashmailMethod), recorded)
  }
  assert.deepEqual(vectors.constants.rest, {
    DelCipherBox: `DELETE ${names.REST_PATH}`,
    NewCipherBox: `POST ${names.REST_PATH}`,
    RecvStream: `POST ${names.REST_RECEIVE_PATH}`,
    SendStream: `POST ${names.REST_SEND_PATH}`,
  })
})

const id = (c: MessageCase): Uint8Array => bytes(c.fields.stream_id ?? '')
const msg = (c: MessageCase): Uint8Array => bytes(c.fields.msg ?? '')
const parsed = (text: string): unknown => JSON.parse(text)

const CHECKS: Record<string, (c: MessageCase) => void> = {
  'hashmailrpc.CipherBoxAuth': (c) => {
    assert.equal(toHex(proto.encodeCipherBoxAuth(id(c))), c.protobuf)
    const auth = proto.decodeCipherBoxAuth(bytes(c.protobuf))
    assert.equal(toHex(auth?.desc?.streamId ?? new Uint8Array()), c.fields.stream_id)
    assert.equal(auth?.lndAuth, true)
    assert.equal(json.formatCipherBoxAuth(id(c)), c.json)
    assert.deepEqual(parsed(json.formatCipherBoxAuth(id(c))), parsed(c.json))
  },
  'hashmailrpc.CipherBoxDesc': (c) => {
    assert.equal(toHex(proto.encodeCipherBoxDesc(id(c))), c.protobuf)
    const desc = proto.decodeCipherBoxDesc(bytes(c.protobuf))
    assert.equal(toHex(desc?.streamId ?? new Uint8Array()), c.fields.stream_id)
    assert.equal(json.formatCipherBoxDesc(id(c)), c.json)
  },
  'hashmailrpc.CipherBox': (c) => {
    assert.equal(toHex(proto.encodeCipherBox(id(c), msg(c))), c.protobuf)
    const box = proto.decodeCipherBox(bytes(c.protobuf))
    assert.equal(toHex(box?.msg ?? new Uint8Array()), c.fields.msg ?? '')
    assert.equal(toHex(box?.desc?.streamId ?? new Uint8Array()), c.fields.stream_id)
    assert.deepEqual(proto.cipherBoxMsg(bytes(c.protobuf)), box?.msg)
    assert.equal(json.formatCipherBox(id(c), msg(c)), c.json)
  },
  'hashmailrpc.CipherInitResp': (c) => {
    const arm = Object.keys(parsed(c.json) as object)[0]
    assert.equal(proto.decodeCipherInitResp(bytes(c.protobuf)), arm)
    if (c.protobuf !== '0a00') return
    assert.equal(toHex(proto.encodeCipherInitSuccess()), c.protobuf)
    assert.equal(json.JSON_INIT_SUCCESS, c.json)
  },
  'hashmailrpc.DelCipherBoxResp': (c) => {
    assert.equal(c.protobuf, '')
    assert.equal(json.JSON_DELETED, c.json)
  },
}

for (const c of vectors.cases.messages) {
  test(`protobuf, frame and JSON: ${c.name}`, () => {
    const check = CHECKS[c.message] ?? assert.fail(`no check for ${c.message}`)
    check(c)
    assert.equal(toHex(grpcFrame(bytes(c.protobuf))), c.grpc_frame)
    const reader = new FrameReader()
    reader.push(bytes(c.grpc_frame))
    assert.equal(toHex(reader.next() ?? assert.fail('no message')), c.protobuf)
    assert.equal(reader.partial, false)
  })
}

for (const c of vectors.cases.json_input) {
  test(`JSON input: ${c.name}`, () => {
    const box = json.parseCipherBox(c.text)
    assert.equal(!json.isRefused(box), c.accepted)
    if (json.isRefused(box)) {
      assert.equal(box.refused, c.error)
      return
    }
    assert.equal(toHex(box.msg), c.decoded_msg ?? '')
    assert.equal(toHex(box.desc?.streamId ?? new Uint8Array()), c.decoded_stream_id)
  })
}

for (const { name, text } of vectors.cases.rest_stream_texts) {
  test(`what a socket receives: ${name}`, () => {
    const received = json.parseReceived(text)
    if (received.kind === 'message') {
      const streamId = received.box.desc?.streamId ?? assert.fail('no desc')
      assert.equal(json.formatResult(streamId, received.box.msg), text)
    } else if (received.kind === 'error') {
      const format = text.startsWith('{"error"') ? json.formatStreamError : json.formatStatus
      assert.equal(format(received.code, received.message), text)
      assert.equal(name.endsWith(received.message), true)
    } else assert.fail(received.reason)
  })
}

test('envelopes: what the Go client understands, Pinhole understands alike', () => {
  const { cases } = load('ws_envelope.json') as {
    cases: { input: string; result?: string; error?: string; client_status?: string }[]
  }
  for (const { input, result, error } of cases) {
    const received = json.parseReceived(input)
    if (result !== undefined) assert.equal(received.kind, 'message', input)
    else if (received.kind === 'error')
      assert.ok(error?.includes(JSON.stringify(received.message)), input)
    else assert.match(error ?? '', /unrecognized/, input)
  }
})

test('the texts of a recorded Go WebSocket client are read, and written as the relay wrote them', () => {
  const { cases } = load('ws_transcript.json') as {
    cases: { socket: string; what: string; text: string }[]
  }
  let messages = 0
  for (const { socket, what, text } of cases) {
    if (what === 'client opens' || !text.startsWith('{')) continue
    messages++
    if (what === 'client sends') {
      const read = socket === 'send' ? json.parseCipherBox(text) : json.parseCipherBoxDesc(text)
      assert.equal(json.isRefused(read), false, text)
    } else {
      const received = json.parseReceived(text)
      assert.notEqual(received.kind, 'malformed', text)
      if (received.kind !== 'message') continue
      const streamId = received.box.desc?.streamId ?? assert.fail('no desc')
      assert.equal(json.formatResult(streamId, received.box.msg), text)
    }
  }
  assert.ok(messages > 10)
})
