/** When an end says that its peer has fallen silent. Virtual time; each way takes 150 ms unless said. */
import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { Hearing } from '../../../mailbox/gbn/hearing.ts'
import { connectGbn } from '../../../mailbox/gbn/link.ts'
import { listenGbn } from '../../../mailbox/gbn/listen.ts'
import type { Link } from '../../../mailbox/link.ts'
import { ManualClock } from '../../../src/base/clock.ts'
import { memoryLinkPair } from '../memory-link.ts'
import { bytes, pass, settled } from './wire.ts'

const SILENCE_MS = 2_000
const ONE_WAY_MS = 150

/** What passes is late by `delayMs`, or lost while the way is down. */
class Way implements Link {
  isDown = false
  delayMs = ONE_WAY_MS
  readonly #lower: Link
  readonly #clock: ManualClock

  constructor(lower: Link, clock: ManualClock) {
    this.#lower = lower
    this.#clock = clock
  }

  async send(message: Uint8Array): Promise<void> {
    this.#clock.after(this.delayMs, () => {
      if (!this.isDown) void this.#lower.send(message).catch(() => {})
    })
  }

  async receive(): Promise<Uint8Array | undefined> {
    for (;;) {
      const message = await this.#lower.receive()
      if (!message || !this.isDown) return message
    }
  }

  close(): Promise<void> {
    return this.#lower.close()
  }
}

async function listened(t: TestContext) {
  const clock = new ManualClock()
  const [near, far] = memoryLinkPair()
  const way = new Way(near, clock)
  const back = new Way(far, clock)
  const changes: string[] = []
  const told = (isHeard: boolean) =>
    void changes.push(`${isHeard ? 'heard' : 'silent'} ${Math.round(clock.now() - from)}`)
  const hearing = new Hearing({ silenceMs: SILENCE_MS, clock, onChange: told })
  const listener = listenGbn(back, { clock })
  const accepting = listener.accept()
  const connecting = connectGbn(hearing.over(way), { clock })
  await pass(clock, 1_000)
  const [client, server] = [await connecting, await accepting]
  hearing.start(() => client.lowerChanged(true))
  let from = clock.now()
  const reading = async (): Promise<void> => {
    while (await server.receive());
  }
  const read = reading().catch(() => {})
  t.after(async () => {
    hearing.stop()
    const closing = Promise.all([client.close(), listener.close()])
    await pass(clock, 5_000)
    await closing
    await read
  })
  return { clock, way, back, client, changes, restart: () => (from = clock.now()) }
}

test('a peer that acknowledges is heard, though nothing is answered above it for a minute', async (t) => {
  const { clock, client, changes } = await listened(t)
  for (let second = 0; second < 60; second += 3) {
    await client.send(bytes(second))
    await pass(clock, 3_000)
  }
  assert.deepEqual(changes, [])
})

test('a quiet peer is asked, and stays heard', async (t) => {
  const { clock, changes, way } = await listened(t)
  await pass(clock, 60_000)
  way.delayMs = 1_500
  await pass(clock, 60_000)
  assert.deepEqual(changes, [], 'not even with a round trip of 1,650 ms')
})

test('a peer that is gone is silent 2.25 s after what it should have answered, and heard as soon as it is back', async (t) => {
  const { clock, way, client, changes, restart } = await listened(t)
  await client.send(bytes(1))
  await pass(clock, 500)
  way.isDown = true
  restart()
  await client.send(bytes(2))
  await pass(clock, 6_000)
  assert.deepEqual(changes, ['silent 2250'])
  way.isDown = false
  await pass(clock, 2_000)
  assert.equal(changes.length, 2)
  assert.match(changes[1] ?? '', /^heard/)
})

test('nothing being asked of it, a peer that is gone is silent within 4.5 s, half of what the protocol takes', async (t) => {
  const { clock, way, client, changes, restart } = await listened(t)
  way.isDown = true
  restart()
  await pass(clock, 9_500)
  const [silent, ...more] = changes
  assert.equal(more.length, 0)
  assert.ok(Number(silent?.replace('silent ', '')) <= 4_500, silent)
  const closed = client.closed
  await pass(clock, 2_000)
  assert.equal((await closed)?.code, 'ERR_GBN_SILENT', 'and is given up when it always was')
})

test('a stall of our own is no silence of the peer', async (t) => {
  const { clock, way, back, client, changes } = await listened(t)
  way.delayMs = back.delayMs = 10
  await client.send(bytes(1))
  // The clock jumps before anything that has arrived could be read.
  clock.advance(2_050)
  await settled()
  await pass(clock, 5_000)
  assert.deepEqual(changes, [])
})
