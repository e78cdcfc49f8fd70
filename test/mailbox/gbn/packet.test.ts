import assert from 'node:assert/strict'
import test from 'node:test'
import fc from '../../fast-check.ts'
import { decodePacket, encodePacket, type Packet } from '../../../mailbox/gbn/packet.ts'
import { fromHex, toHex } from '../../../src/base/bytes.ts'
import { PinholeError } from '../../../src/base/errors.ts'
import stack from '../../vectors/lnc/stack.json' with { type: 'json' }
import vectors from '../../vectors/lnc/gbn_messages.json' with { type: 'json' }

const bytes = (hex: string) => fromHex(hex) ?? assert.fail(`not hex: ${hex}`)

interface Fields {
  readonly n?: number
  readonly seq?: number
  readonly final_chunk?: boolean
  readonly is_ping?: boolean
  readonly payload?: string
}

function packetOf(type: string, fields: Fields): Packet {
  const { n = 0, seq = 0, final_chunk: final = false, is_ping: ping = false } = fields
  switch (type) {
    case 'SYN':
      return { type: 'syn', n }
    case 'DATA':
      return { type: 'data', seq, final, ping, payload: bytes(fields.payload ?? '') }
    case 'ACK':
      return { type: 'ack', seq }
    case 'NACK':
      return { type: 'nack', seq }
    case 'FIN':
      return { type: 'fin' }
    case 'SYNACK':
      return { type: 'synack' }
    default:
      return assert.fail(`unknown type ${type}`)
  }
}

/** A packet as the vectors write it. */
function inGo(packet: Packet): string {
  switch (packet.type) {
    case 'syn':
      return `*gbn.PacketSYN&{N:${packet.n}}`
    case 'data':
      return (
        `*gbn.PacketData&{Seq:${packet.seq} FinalChunk:${packet.final} ` +
        `IsPing:${packet.ping} Payload:[${packet.payload.join(' ')}]}`
      )
    case 'ack':
      return `*gbn.PacketACK&{Seq:${packet.seq}}`
    case 'nack':
      return `*gbn.PacketNACK&{Seq:${packet.seq}}`
    case 'fin':
      return '*gbn.PacketFIN&{}'
    case 'synack':
      return '*gbn.PacketSYNACK&{}'
  }
}

for (const { name, type, fields, encoded } of vectors.cases.encode) {
  test(`encode and decode ${name}`, () => {
    const packet = packetOf(type, fields)
    assert.equal(toHex(encodePacket(packet)), encoded)
    assert.deepEqual(decodePacket(bytes(encoded)), packet)
  })
}

for (const { name, input, result } of vectors.cases.decode) {
  test(`decode ${name}`, () => {
    if (result.startsWith('*')) assert.equal(inGo(decodePacket(bytes(input))), result)
    else assert.throws(() => decodePacket(bytes(input)), { code: 'ERR_GBN_PACKET' })
  })
}

test('every mailbox message of two recorded connections is one packet', () => {
  const events = stack.cases.flatMap((connection) => connection.relay_events)
  const messages = events.filter((event) => event.what === 'message')
  assert.ok(messages.length > 100)
  for (const { payload, gbn } of messages) {
    const packet = decodePacket(bytes(payload ?? ''))
    assert.equal(toHex(encodePacket(packet)), payload)
    assert.equal(asText(packet), gbn)
  }
})

function asText(packet: Packet): string {
  const name = packet.type.toUpperCase()
  switch (packet.type) {
    case 'syn':
      return `${name} n=${packet.n}`
    case 'data':
      return `${name} seq=${packet.seq} final=${packet.final} len=${packet.payload.length}`
    case 'ack':
    case 'nack':
      return `${name} ${packet.seq}`
    case 'fin':
    case 'synack':
      return name
  }
}

test('any bytes are a packet or a coded error', () => {
  const anything = fc.oneof(
    fc.uint8Array({ maxLength: 12 }),
    fc
      .tuple(fc.integer({ min: 0, max: 7 }), fc.uint8Array({ maxLength: 300 }))
      .map(([type, rest]) => Uint8Array.of(type, ...rest)),
  )
  const property = fc.property(anything, (input) => {
    try {
      const packet = decodePacket(input)
      const again = decodePacket(encodePacket(packet))
      assert.deepEqual(again, packet)
    } catch (reason) {
      assert.ok(reason instanceof PinholeError && reason.code === 'ERR_GBN_PACKET')
    }
  })
  fc.assert(property, { numRuns: 10_000 })
})
