/** Until a connection by keys has worked, a session has two doors; what counts is what both of them say. */
import assert from 'node:assert/strict'
import test from 'node:test'

import { connectOn } from '../../../mailbox/connect/connect.ts'
import { nodePlatform } from '../../../mailbox/connect/node.ts'
import { nodeCrypto } from '../../../mailbox/crypto/node.ts'
import { memoryStore, type Pairing } from '../../../mailbox/pairing/pairing.ts'
import { parsePhrase } from '../../../mailbox/phrase.ts'
import { pairedStreamIds, pairingStreamIds, type StreamIds } from '../../../mailbox/stream-id.ts'
import { failure } from '../../../mailbox/transport/failure.ts'
import type { RelayClient, StreamEvents } from '../../../mailbox/transport/relay-client.ts'
import { toHex } from '../../../src/base/bytes.ts'
import { ManualClock } from '../../../src/base/clock.ts'
import { fastForward } from '../ends.ts'

const PHRASE = 'zoo '.repeat(10).trim()
const localKey = new Uint8Array(32).fill(1)
const remoteKey = nodeCrypto.publicKey(new Uint8Array(32).fill(2))

/** What a client has stored whose first connection worked and whose second never came. */
const pairing: Pairing = { mailbox: 'localhost:1', localKey, remoteKey, phrase: PHRASE }

/** How long a relay far away takes to say that a box is not there. */
const ROUND_TRIP_MS = 150

/** Limits of the caller, so far apart that some end in each step of an attempt. */
const LIMITS_MS = Array.from({ length: 12 }, (_, i) => 8000 + i * 97)

/** A relay far away where some boxes are, and nobody who answers. */
function farRelay(clock: ManualClock, boxes: readonly StreamIds[]): RelayClient {
  const there = new Set(boxes.flatMap((ids) => Object.values(ids).map(toHex)))
  const open = (id: Uint8Array, events: StreamEvents) => {
    queueMicrotask(() => events.opened())
    const refuse = () => events.end(failure('not-found', 'no box'))
    const stop = there.has(toHex(id)) ? () => {} : clock.after(ROUND_TRIP_MS, refuse)
    return { close: async () => stop() }
  }
  return {
    receive: open,
    send: (id, events) => ({ ...open(id, events), write: async () => {} }),
    createBox: async () => undefined,
    deleteBox: async () => undefined,
    close: async () => {},
  }
}

async function codeAfter(timeoutMs: number, boxes: readonly StreamIds[]) {
  const clock = new ManualClock()
  const connect = connectOn({ ...nodePlatform, relay: () => farRelay(clock, boxes) })
  const connecting = connect({ store: memoryStore(pairing), clock, timeoutMs })
  const tookMs = await fastForward(clock, connecting)
  const reason: unknown = await connecting.then(
    () => assert.fail('it connected'),
    (error: unknown) => error,
  )
  return { code: (reason as { code?: unknown }).code, tookMs }
}

const keysDoor = pairedStreamIds(localKey, remoteKey, nodeCrypto)
const phraseDoor = pairingStreamIds(parsePhrase(PHRASE), nodeCrypto)

for (const [what, boxes, code] of [
  ['no boxes at either: the session is over', [], 'ERR_SESSION_EXPIRED'],
  ["boxes at the keys' door: the node is offline", [keysDoor], 'ERR_NODE_OFFLINE'],
  ["boxes at the phrase's door: the node is offline", [phraseDoor], 'ERR_NODE_OFFLINE'],
] as const) {
  test(`${what}, whenever the caller's limit ends the search`, async () => {
    const found = await Promise.all(LIMITS_MS.map((ms) => codeAfter(ms, boxes)))
    assert.deepEqual(
      found.map((one) => one.code),
      LIMITS_MS.map(() => code),
    )
  })
}

test('a session without boxes is given up after 20 seconds, however far the relay is', async () => {
  const { code, tookMs } = await codeAfter(60_000, [])
  assert.equal(code, 'ERR_SESSION_EXPIRED')
  assert.ok(tookMs >= 20_000 && tookMs < 21_000, `${tookMs} ms`)
})
