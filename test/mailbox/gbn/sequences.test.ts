/** Exchanges recorded between the Go client and server: our end takes the place of one of them. */
import assert from 'node:assert/strict'
import test from 'node:test'
import type { Effect, Role } from '../../../mailbox/gbn/events.ts'
import { greet, listen } from '../../../mailbox/gbn/handshake.ts'
import { decodePacket } from '../../../mailbox/gbn/packet.ts'
import { step, type State } from '../../../mailbox/gbn/step.ts'
import { fromHex, toHex } from '../../../src/base/bytes.ts'
import stack from '../../vectors/lnc/stack.json' with { type: 'json' }
import vectors from '../../vectors/lnc/gbn_sequences.json' with { type: 'json' }

interface Recorded {
  readonly ms: number
  readonly dir: string
  readonly hex: string
  readonly dropped_by_link?: boolean
}

const bytes = (hex: string) => fromHex(hex) ?? assert.fail(`not hex: ${hex}`)

const exchange = (name: string): readonly Recorded[] => {
  const found = vectors.cases.find((one) => one.name.startsWith(name))
  return found?.packets ?? assert.fail(`no exchange ${name}`)
}

/** What our end sends, and whether it is still up, when the other end's packets come as recorded. */
function replay(role: Role, packets: readonly Recorded[]) {
  const ours = role === 'client' ? 'c>s' : 's>c'
  const sent: string[] = []
  const delivered: string[] = []
  let ended: string | undefined
  let state: State = listen()
  const take = (next: { state: State; effects: readonly Effect[] }, now = 0) => {
    state = next.state
    for (const effect of next.effects) {
      if (effect.type === 'send') sent.push(toHex(effect.packet))
      if (effect.type === 'deliver') {
        delivered.push(toHex(effect.message))
        take(step(state, { type: 'read', now }), now)
      }
      if (effect.type === 'ended') ended = effect.error?.code ?? 'in order'
    }
  }
  if (role === 'client') take(greet(0, 60_000))
  for (const { ms, dir, hex, dropped_by_link: dropped = false } of packets) {
    if (dir !== ours) {
      if (!dropped) take(step(state, { type: 'packet', bytes: bytes(hex), now: ms }), ms)
      continue
    }
    const packet = decodePacket(bytes(hex))
    // The application's part: a message, unless it is a resend, or the close.
    if (packet.type === 'data' && !sent.includes(hex)) {
      take(step(state, { type: 'message', message: packet.payload, now: ms }), ms)
    } else if (packet.type === 'fin') take(step(state, { type: 'close', now: ms }), ms)
  }
  const expected = packets.filter(({ dir }) => dir === ours).map(({ hex }) => hex)
  return { sent, expected, delivered, ended, phase: (): string => state.phase }
}

for (const name of ['clean run', 'lost DATA 1', 'window']) {
  for (const role of ['client', 'server'] as const) {
    test(`${name}: as the ${role} the same packets go out`, () => {
      const { sent, expected, ended } = replay(role, exchange(name))
      assert.deepEqual(sent, expected)
      assert.notEqual(ended, 'ERR_GBN_PACKET')
    })
  }
}

test('chunking: as the server the same ACKs go out and the chunks are joined', () => {
  const packets = exchange('chunking')
  const { sent, expected, delivered } = replay('server', packets)
  assert.deepEqual(sent, expected)
  assert.deepEqual(
    delivered.map((message) => message.length / 2),
    [25, 20],
  )
})

test('keepalive: as the server each ping gets its ACK', () => {
  const { sent, expected, ended, delivered } = replay('server', exchange('keepalive'))
  assert.deepEqual(sent, expected)
  assert.deepEqual([ended, delivered], ['in order', []])
})

for (const count of [2, 3, 4]) {
  const packets = exchange(`${count} SYNs`)
  test(`${count} SYNs waiting: as the server one answer`, () => {
    const waiting = packets.filter(({ dir }) => dir === 'c>s').slice(0, count)
    const { sent } = replay(
      'server',
      waiting.map((packet) => ({ ...packet, ms: 1000 })),
    )
    assert.deepEqual(sent, ['0114'])
  })

  test(`${count} SYNs waiting: as the client one SYNACK, and the surplus answers do no harm`, () => {
    const answers = packets.filter(({ dir, hex }) => dir === 's>c' && hex === '0114')
    const { sent, ended, phase } = replay('client', answers)
    assert.equal(answers.length, count)
    assert.deepEqual([sent, ended, phase()], [['0114', '06'], undefined, 'open'])
  })
}

for (const name of ['lost SYNACK, DATA in time', 'lost SYNACK, DATA after']) {
  test(`${name}: as the server the first DATA opens and counts`, () => {
    const packets = exchange(name).filter(({ dir, hex }) => dir === 'c>s' && hex !== '05')
    const [syn, synack, data] = packets
    assert.ok(syn && synack?.dropped_by_link && data)
    const { sent, delivered, phase } = replay('server', [syn, synack, data])
    assert.deepEqual(sent, ['0114', '0300'])
    assert.deepEqual([delivered.length, phase()], [1, 'open'])
  })
}

for (const [index, connection] of stack.cases.entries()) {
  for (const role of ['client', 'server'] as const) {
    test(`${connection.name}: our ${role} in place of Go's acknowledges and delivers the same`, () => {
      const base = connection.sid_client_to_server
      const packets = connection.relay_events
        .filter((event) => event.what === 'message')
        .map(({ ms, stream_id, payload = '' }) => ({
          ms,
          dir: stream_id === base ? 'c>s' : 's>c',
          hex: payload,
        }))
      const { sent, expected, delivered } = replay(role, packets)
      const acks = (lines: readonly string[]) => lines.filter((hex) => hex.startsWith('03'))
      assert.deepEqual(acks(sent).slice(0, acks(expected).length), acks(expected), `case ${index}`)
      const messages = new Set(
        packets
          .filter(({ dir, hex }) => dir !== (role === 'client' ? 'c>s' : 's>c') && /^02/.test(hex))
          .map(({ hex }) => hex),
      )
      assert.deepEqual(
        delivered,
        [...messages].map((hex) => hex.slice(8)),
      )
    })
  }
}
