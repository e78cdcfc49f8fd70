/** What a relay, which can forge every packet, can make an end send and hold. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock } from '../../../src/base/clock.ts'
import { connectGbn } from '../../../mailbox/gbn/link.ts'
import type { Link } from '../../../mailbox/link.ts'

const WINDOW = 20
const DATA = 2
const SYN = Uint8Array.of(1, WINDOW)
const nack = (seq: number): Uint8Array => Uint8Array.of(4, seq)
const ping = (seq: number): Uint8Array => Uint8Array.of(DATA, seq, 0, 1)

/** A relay that answers the SYN, says what it is told to, and takes packets or does not. */
class Relay implements Link {
  readonly sent: Uint8Array[] = []
  takes = true
  #said: Uint8Array[] = []
  #waiting: ((message: Uint8Array | undefined) => void) | undefined

  say(...messages: readonly Uint8Array[]): void {
    this.#said.push(...messages)
    const waiting = this.#waiting
    this.#waiting = undefined
    if (waiting) waiting(this.#said.shift())
  }

  send(message: Uint8Array): Promise<void> {
    this.sent.push(message)
    return this.takes ? Promise.resolve() : new Promise(() => {})
  }

  receive(): Promise<Uint8Array | undefined> {
    const message = this.#said.shift()
    if (message) return Promise.resolve(message)
    return new Promise((resolve) => (this.#waiting = resolve))
  }

  async close(): Promise<void> {
    this.#waiting?.(undefined)
  }
}

async function connected(): Promise<{ relay: Relay; clock: ManualClock; end: Link }> {
  const [relay, clock] = [new Relay(), new ManualClock()]
  relay.say(SYN)
  const end = await connectGbn(relay, { clock })
  return { relay, clock, end }
}

const settled = () => new Promise(setImmediate)

test('a relay that takes nothing and asks for answers does not fill memory', async () => {
  const { relay, end } = await connected()
  relay.sent.length = 0
  relay.takes = false
  relay.say(...Array.from({ length: 5000 }, (_, n) => ping(n % (WINDOW + 1))))
  await settled()
  assert.ok(relay.sent.length > 0)
  assert.ok(relay.sent.length <= 256, `${relay.sent.length} answers wait`)
  relay.takes = true
  void end.close()
})

test('a flood of NACKs does not have the window sent for each of them', async () => {
  const { relay, clock, end } = await connected()
  for (let n = 0; n < 5; n++) await end.send(new Uint8Array(1000))
  relay.sent.length = 0
  for (let ms = 0; ms < 200; ms++) {
    relay.say(nack(0), nack(0), nack(0))
    await settled()
    clock.advance(1)
  }
  const windows = relay.sent.filter((packet) => packet[0] === DATA).length / 5
  assert.ok(windows >= 1 && windows <= 5, `the window was sent ${windows} times in 200 ms`)
  void end.close()
})
