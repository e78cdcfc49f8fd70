import assert from 'node:assert/strict'
import test from 'node:test'
import { connectGbn } from '../../../mailbox/gbn/link.ts'
import { listenGbn } from '../../../mailbox/gbn/listen.ts'
import { encodePacket } from '../../../mailbox/gbn/packet.ts'
import type { Link } from '../../../mailbox/link.ts'
import { ManualClock } from '../../../src/base/clock.ts'
import { memoryLinkPair } from '../memory-link.ts'
import { bytes, settled, Wire } from './wire.ts'

test('one client after another over the same link', async () => {
  const clock = new ManualClock()
  const [a, b] = memoryLinkPair()
  const listener = listenGbn(b, { clock })
  for (let round = 0; round < 3; round++) {
    // Each client leaves the link below open, as a relay does.
    const near = new Wire(a)
    near.close = async () => {}
    const reader = borrow(near)
    const [client, server] = await Promise.all([
      connectGbn(reader.link, { clock }),
      listener.accept(),
    ])
    await client.send(bytes(round))
    assert.deepEqual(await server.receive(), bytes(round))
    await server.close()
    assert.equal(await client.receive(), undefined)
    await client.close()
    reader.end()
  }
  await listener.close()
})

/** `lower` for one user: its pending read is handed on to the next one. */
let pending: Promise<Uint8Array | undefined> | undefined
function borrow(lower: Link) {
  let end = () => {}
  const ended = new Promise<undefined>((resolve) => (end = () => resolve(undefined)))
  const link: Link = {
    send: (message) => lower.send(message),
    async receive() {
      pending ??= lower.receive()
      const reading = pending
      const message = await Promise.race([reading, ended])
      if (message && pending === reading) pending = undefined
      return message
    },
    close: async () => {},
  }
  return { link, end }
}

test('a client that starts over ends its connection and opens the next', async () => {
  const clock = new ManualClock()
  const [a, b] = memoryLinkPair()
  const listener = listenGbn(b, { clock })
  const syn = encodePacket({ type: 'syn', n: 20 })
  const synack = encodePacket({ type: 'synack' })
  await a.send(syn)
  await a.send(synack)
  await settled()
  // Opened before it was accepted.
  const first = await listener.accept()
  clock.advance(1000)
  await a.send(syn)
  await assert.rejects(first.receive(), { code: 'ERR_LINK_CLOSED' })
  await assert.rejects(first.send(bytes(1)), { code: 'ERR_LINK_CLOSED' })
  const second = listener.accept()
  await a.send(synack)
  await a.send(encodePacket({ type: 'data', seq: 0, final: true, ping: false, payload: bytes(9) }))
  assert.deepEqual(await (await second).receive(), bytes(9))
  await first.close()
  await listener.close()
})

test('accept ends with its signal, is one at a time, and fails once the listener is closed', async () => {
  const [, b] = memoryLinkPair()
  const listener = listenGbn(b, { clock: new ManualClock() })
  const reason = new Error('enough')
  await assert.rejects(listener.accept(AbortSignal.abort(reason)), reason)
  const abort = new AbortController()
  const accepting = listener.accept(abort.signal)
  await assert.rejects(listener.accept(), TypeError)
  abort.abort(reason)
  await assert.rejects(accepting, reason)
  const last = listener.accept()
  const closing = listener.close()
  await assert.rejects(last, { code: 'ERR_LINK_CLOSED' })
  await closing
  await listener.close()
  await assert.rejects(listener.accept(), { code: 'ERR_LINK_CLOSED' })
})
