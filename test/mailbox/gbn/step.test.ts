import assert from 'node:assert/strict'
import test from 'node:test'
import { deadline, hasRoom, outstanding } from '../../../mailbox/gbn/step.ts'
import { Core, GREETING_MS } from './core.ts'

const letters = [...'abcdefghijklmnopqrstuvwxyz']
const window = letters.slice(0, 20)

test('a client opens with SYN, SYN, SYNACK and repeats its SYN until it gives up', () => {
  const core = new Core('client')
  assert.deepEqual(core.take(), ['SYN 20'])
  assert.deepEqual(core.early(), [])
  assert.deepEqual(core.wait(300 + 600 + 1200), ['SYN 20', 'SYN 20', 'SYN 20'])
  // Left-overs of an earlier connection, broken ones included.
  assert.deepEqual(core.data(3), [])
  assert.deepEqual(core.receive({ type: 'fin' }, { type: 'synack' }), [])
  assert.deepEqual(core.bytes(Uint8Array.of(2, 0, 1)), [])
  assert.deepEqual([core.on('read'), hasRoom(core.state), outstanding(core.state)], [[], false, 0])
  assert.deepEqual(core.receive({ type: 'syn', n: 20 }), ['SYNACK', 'opened'])
  assert.deepEqual(core.receive({ type: 'syn', n: 20 }, { type: 'synack' }), [])
  assert.equal(core.state.phase, 'open')
})

test('a client that is not answered ends with ERR_GBN_HANDSHAKE and does nothing more', () => {
  const core = new Core('client')
  const lines = core.wait(GREETING_MS + 10_000)
  assert.equal(lines.pop(), 'ended ERR_GBN_HANDSHAKE')
  assert.ok(lines.length > 5 && lines.every((one) => one === 'SYN 20'))
  assert.deepEqual(core.receive({ type: 'syn', n: 20 }), [])
  assert.equal(deadline(core.state), Infinity)
})

test('a client sends SYN at once when the link below is back, none while that is busy', () => {
  const core = new Core('client')
  core.take()
  assert.deepEqual(core.wait(1000, true), [])
  assert.deepEqual(core.on('wake'), ['SYN 20'])
  assert.deepEqual(core.wait(300), ['SYN 20'])
  assert.deepEqual(core.on('close'), ['ended in order'])
})

test('a SYN with another window ends the attempt', () => {
  const core = new Core('client')
  core.take()
  assert.deepEqual(core.receive({ type: 'syn', n: 19 }), ['ended ERR_GBN_HANDSHAKE'])
})

test('a server takes over n from 1 to 254 and ignores other SYNs and left-overs', () => {
  for (const n of [1, 2, 20, 254]) {
    const core = Core.open('server', n)
    assert.deepEqual(core.send('a'), ['DATA 0 a'])
    assert.equal(hasRoom(core.state), n > 1)
    assert.deepEqual(core.ack(0), [])
    assert.deepEqual(core.send('b'), ['DATA 1 b'])
  }
  const core = new Core('server')
  for (const n of [0, 255]) assert.deepEqual(core.receive({ type: 'syn', n }), [])
  assert.deepEqual(core.ack(3), [])
  assert.deepEqual(core.bytes(Uint8Array.of(9)), [])
  assert.deepEqual(core.wait(100_000), [])
  assert.deepEqual(core.receive({ type: 'syn', n: 20 }), ['SYN 20'])
  assert.deepEqual(core.receive({ type: 'syn', n: 255 }, { type: 'ack', seq: 3 }), [])
  assert.deepEqual(core.bytes(Uint8Array.of(9)), [])
  assert.deepEqual([core.on('read'), core.wait(100_000)], [[], []])
  assert.deepEqual(core.receive({ type: 'synack' }), ['opened'])
})

test('a server answers waiting SYNs once and a repeated SYN again', () => {
  const core = new Core('server')
  const syn = { type: 'syn', n: 20 } as const
  assert.deepEqual(core.receive(syn, syn, syn, syn), ['SYN 20'])
  core.wait(2000)
  assert.deepEqual(core.receive(syn), ['SYN 20'])
  // The answer may have been lost with the link below.
  assert.deepEqual(core.on('wake'), ['SYN 20'])
  // Another client, with another window.
  assert.deepEqual(core.receive({ type: 'syn', n: 5 }), ['SYN 5'])
  assert.deepEqual(core.receive({ type: 'fin' }), [])
  assert.equal(core.state.phase, 'listening')
})

test('a lost SYNACK costs nothing: the first DATA opens the connection and counts', () => {
  const core = new Core('server')
  core.receive({ type: 'syn', n: 20 })
  assert.deepEqual(core.data(0, 'first'), ['opened', 'ACK 0', '> first'])
  const other = new Core('server')
  other.receive({ type: 'syn', n: 20 })
  assert.deepEqual(other.data(1, 'second'), ['opened', 'NACK 0'])
})

test('a client that believes in a connection which the server has not is told so', () => {
  const core = new Core('server')
  assert.deepEqual(core.data(7), ['FIN'])
  assert.deepEqual(core.data(8), [])
  core.wait(1000)
  assert.deepEqual(core.data(7), ['FIN'])
  assert.deepEqual(core.on('close'), [])
  assert.equal(core.state.phase, 'ended')
})

test('a server that closes while a client has yet to answer sends FIN', () => {
  const core = new Core('server')
  core.receive({ type: 'syn', n: 20 })
  assert.deepEqual(core.on('close'), ['FIN'])
})

test('a SYN at an established server ends the connection and opens the next', () => {
  const core = Core.open('server')
  core.data(0)
  // A late one of the same handshake does not.
  core.wait(50)
  assert.deepEqual(core.receive({ type: 'syn', n: 20 }), [])
  core.wait(50)
  assert.deepEqual(core.receive({ type: 'syn', n: 20 }), ['ended ERR_LINK_CLOSED', 'SYN 20'])
  assert.deepEqual(core.receive({ type: 'synack' }), ['opened'])
  assert.deepEqual(core.data(0, 'new'), ['ACK 0', '> new'])
})

test('FIN ends in order, without an answer; a server listens on', () => {
  const client = Core.open('client')
  assert.deepEqual(client.receive({ type: 'fin' }), ['ended in order'])
  assert.deepEqual(client.receive({ type: 'fin' }), [])
  const server = Core.open('server')
  assert.deepEqual(server.receive({ type: 'fin' }), ['ended in order'])
  // What is still under way of the old connection is no reason for a FIN.
  assert.deepEqual(server.data(4), [])
  assert.deepEqual(server.receive({ type: 'syn', n: 20 }), ['SYN 20'])
})

test('close sends FIN once', () => {
  const core = Core.open('client')
  assert.deepEqual(core.on('close'), ['FIN', 'ended in order'])
  assert.deepEqual(core.on('close'), [])
})

test('a broken packet ends an open connection with ERR_GBN_PACKET and a FIN', () => {
  for (const broken of [[], [0], [2, 0, 1], [3], [7, 1]]) {
    const core = Core.open('client')
    assert.deepEqual(core.bytes(Uint8Array.from(broken)), ['FIN', 'ended ERR_GBN_PACKET'])
  }
})

test('20 packets may be outstanding; numbers run modulo 21', () => {
  const core = Core.open('client')
  core.send(...window)
  assert.equal(hasRoom(core.state), false)
  core.ack(0)
  assert.deepEqual(core.send('u'), ['DATA 20 u'])
  for (let seq = 1; seq <= 20; seq++) core.ack(seq)
  assert.equal(outstanding(core.state), 0)
  assert.deepEqual(core.send('v'), ['DATA 0 v'])
})

test('an ACK or NACK outside the window is ignored, also one beyond the modulus', () => {
  const core = Core.open('client')
  core.send('a', 'b')
  for (const seq of [2, 5, 19, 21, 255]) assert.deepEqual(core.ack(seq), [])
  for (const seq of [3, 20, 21, 255]) assert.deepEqual(core.nack(seq), [])
  assert.equal(outstanding(core.state), 2)
  core.ack(1)
  assert.equal(outstanding(core.state), 0)
})

test('NACK of the next number acknowledges everything, of another resends at once from there', () => {
  const core = Core.open('client', 20, 10)
  core.send('a', 'b', 'c')
  core.now += 10
  assert.deepEqual(core.nack(1), ['DATA 1 b', 'DATA 2 c'])
  assert.deepEqual(core.send('d'), ['DATA 3 d'], 'new data does not wait after a resend')
  core.now += 9
  assert.deepEqual(core.nack(1), [], 'the resend is still on its way')
  assert.deepEqual(core.nack(4), [])
  assert.equal(outstanding(core.state), 0)
})

test('a late ACK of the round before acknowledges nothing; a real one does after a resend', () => {
  const core = Core.open('client')
  core.send(...window)
  for (let seq = 0; seq < 8; seq++) core.ack(seq)
  core.send(...window.slice(0, 8))
  // 5 and 6 were overtaken by 7; modulo 21 they are also the 19th and 20th of the full window.
  for (const seq of [5, 6]) core.ack(seq)
  assert.deepEqual([core.nack(6), core.nack(7)], [[], []])
  assert.equal(outstanding(core.state), 20)
  core.wait(1100)
  // All has arrived, all ACKs were lost: the answer to the resend says so.
  core.nack(7)
  assert.equal(outstanding(core.state), 0)
})

test('the resend timer runs from the last progress and backs off', () => {
  const core = Core.open('client', 20, 20)
  core.send('a')
  core.now += 20
  core.ack(0)
  core.send('b')
  assert.deepEqual(core.wait(299), [])
  // The peer's own data does not put it off.
  assert.deepEqual(core.data(0), ['ACK 0', '> m'])
  assert.deepEqual(core.wait(2), ['DATA 1 b'])
  assert.deepEqual(core.wait(449), [])
  assert.deepEqual(core.wait(3), ['DATA 1 b'])
  assert.deepEqual(core.wait(680), ['DATA 1 b'])
  core.ack(1)
  core.send('c')
  assert.deepEqual(core.wait(302), ['DATA 2 c'])
})

test('a server that hears nothing resends once soon, then leaves gaps of more than two seconds', () => {
  const core = Core.open('server', 20, 20)
  core.send('a')
  assert.deepEqual(core.wait(302), ['DATA 0 a'])
  assert.deepEqual(core.wait(2100), [], 'a Go client that starts over gets its SYN out')
  assert.deepEqual(core.wait(101), ['DATA 0 a'])
  assert.deepEqual(core.wait(1000), [])
  // Any sign of the peer brings the quick resends back.
  assert.deepEqual(core.data(0), ['ACK 0', '> m'])
  assert.deepEqual(core.wait(20), ['DATA 0 a'])
  assert.deepEqual(core.wait(2170), [])
  assert.deepEqual(core.on('wake'), ['DATA 0 a'])
  assert.deepEqual(core.wait(303), ['DATA 0 a'])
})

test('nothing is resent while the link below still holds it', () => {
  const core = Core.open('client')
  core.send('a')
  assert.deepEqual(core.wait(2000, true), [])
  assert.deepEqual(core.wait(400), ['DATA 0 a'])
})

test('nothing is resent needlessly over a round trip of a second, whose answers vary', () => {
  const core = Core.open('client', 20, 1000)
  for (let i = 0; i < 100; i++) {
    core.send('a')
    assert.deepEqual(core.wait(900 + 200 * (i % 2)), [])
    core.ack(i % 21)
  }
})

test('waking resends everything at once, or pings', () => {
  const core = Core.open('client')
  assert.deepEqual(core.on('wake'), ['PING 0'])
  core.send('a')
  assert.deepEqual(core.on('wake'), ['PING 0', 'DATA 1 a'])
  core.ack(1)
  assert.equal(outstanding(core.state), 0)
})

test('a server waits for its link below however long; the silence counts anew from then on', () => {
  const core = Core.open('server')
  core.wait(4999)
  core.on('sleep')
  assert.deepEqual(core.wait(60_000), [])
  core.data(0, 'while only the way back is lost')
  assert.deepEqual(core.wait(60_000), [])
  assert.deepEqual(core.on('wake'), ['PING 0'])
  const lines = core.wait(5000 + 2999)
  assert.ok(lines.length > 0 && lines.every((line) => line === 'PING 0'))
  assert.equal(core.wait(1).at(-1), 'ended ERR_GBN_SILENT')
})

test('a client gives a server up that stayed silent through an outage, but not before its pong can come', () => {
  const core = Core.open('client')
  assert.deepEqual(core.wait(7000), ['PING 0'])
  core.on('sleep')
  core.wait(2900)
  core.on('wake')
  assert.ok(!core.wait(2999).includes('FIN'))
  assert.equal(core.wait(1).at(-1), 'ended ERR_GBN_SILENT')
})

test('each packet is acknowledged before its data; another gets one NACK in a while', () => {
  const core = Core.open('server')
  assert.deepEqual(core.data(0, 'a'), ['ACK 0', '> a'])
  assert.deepEqual(core.data(2, 'c'), ['NACK 1'])
  assert.deepEqual(core.data(3, 'd'), [])
  assert.deepEqual(core.data(1, 'b'), ['ACK 1', '> b'])
  assert.deepEqual(core.data(1, 'b'), ['NACK 2'])
  core.now += 100
  assert.deepEqual(core.data(1, 'b'), ['NACK 2'])
})

test('a ping takes a number and is acknowledged, whatever it carries', () => {
  const core = Core.open('server')
  assert.deepEqual(core.data(0, '', { ping: true, final: false }), ['ACK 0'])
  assert.deepEqual(core.data(1, 'a'), ['ACK 1', '> a'])
  assert.deepEqual(core.bytes(Uint8Array.of(2, 2, 1, 1, 65)), ['ACK 2'])
})

test('chunks are joined, up to a limit, empty ones too', () => {
  const core = Core.open('server')
  const chunk = { final: false }
  assert.deepEqual(core.data(0, 'ab', chunk), ['ACK 0'])
  assert.deepEqual(core.data(1, '', chunk), ['ACK 1'])
  assert.deepEqual(core.data(2, '', { ping: true }), ['ACK 2'])
  assert.deepEqual(core.data(3, 'cd'), ['ACK 3', '> abcd'])
  for (const size of [0, 65_536]) {
    const flooded = Core.open('server')
    const payload = new Uint8Array(size)
    let [lines, count]: [string[], number] = [[], 0]
    while (!lines.includes('FIN')) {
      const packet = { type: 'data', seq: count % 21, ...chunk, ping: false, payload } as const
      lines = flooded.receive(packet)
      count++
    }
    assert.equal(lines.pop(), 'ended ERR_LINK_MESSAGE_SIZE')
    assert.ok(count <= 66_000 && count * size <= 4.2 * 1024 * 1024, `${count} chunks of ${size}`)
  }
})

test('an application that does not read holds the sender back but is not taken for dead', () => {
  const core = Core.open('server')
  for (const seq of window.keys()) core.data(seq)
  // The queue is full: taken, not acknowledged; the last ACK again as a sign of life.
  assert.deepEqual(core.data(20, 'x'), ['ACK 19', '> x'])
  assert.deepEqual(core.data(0, 'y'), ['> y'])
  assert.deepEqual(core.wait(1000), ['ACK 19', 'ACK 19'])
  assert.deepEqual(core.data(20, 'x'), [], 'no NACK: it would acknowledge what is held')
  for (let seq = 1; seq < 19; seq++) core.data(seq, 'z')
  // The peer has a full window outstanding now; one who does not keep to it is dropped.
  assert.deepEqual(core.data(19, 'too much'), [])
  for (let i = 0; i < 29; i++) assert.deepEqual(core.on('read'), [])
  assert.equal(core.on('read').length, 20)
  assert.deepEqual(core.data(19, 'again'), ['ACK 19', '> again'])
  assert.deepEqual(core.wait(1000), [])
})

test('a repeated ACK of a peer that holds back puts the resend off', () => {
  const core = Core.open('client')
  core.send('a', 'b')
  core.ack(0)
  for (let i = 0; i < 10; i++) {
    assert.deepEqual(core.wait(290), [])
    core.ack(0)
  }
  assert.deepEqual(core.wait(1000), ['DATA 1 b'])
})

for (const [role, pingMs] of [
  ['client', 7000],
  ['server', 5000],
] as const) {
  test(`keep-alive of a ${role}: ping after ${pingMs} ms of silence, the end 3 s later`, () => {
    const core = Core.open(role)
    assert.deepEqual(core.wait(pingMs - 1), [])
    core.receive({ type: 'synack' })
    assert.deepEqual(core.wait(pingMs - 1), [])
    assert.deepEqual(core.wait(1), ['PING 0'])
    core.ack(0)
    assert.deepEqual(core.wait(pingMs), ['PING 1'])
    const lines = core.wait(3000)
    assert.deepEqual(lines.slice(-2), ['FIN', 'ended ERR_GBN_SILENT'])
    assert.ok(lines.slice(0, -2).every((one) => one === 'PING 1'))
  })

  test(`a ${role} with a full window notices silence as well`, () => {
    const core = Core.open(role)
    core.send(...window)
    const lines = core.wait(pingMs + 3000)
    assert.equal(lines.at(-1), 'ended ERR_GBN_SILENT')
    assert.ok(lines.length > 60)
    const busy = Core.open(role)
    busy.send('a')
    assert.deepEqual(busy.wait(pingMs + 3000, true), ['FIN', 'ended ERR_GBN_SILENT'])
  })
}
