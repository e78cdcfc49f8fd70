/** A link that loses nothing and is slow: what waits in its queue must not be taken for lost and sent again. */
import assert from 'node:assert/strict'
import test from 'node:test'
import type { Effect } from '../../../mailbox/gbn/events.ts'
import { GoMachine } from './go-machine.ts'
import { CoreMachine, type Machine } from './machine.ts'

const ONE_WAY_MS = 50
const MESSAGES = 60

interface OnItsWay {
  readonly atMs: number
  readonly bytes: Uint8Array
  readonly to: 'sender' | 'receiver'
}

/** What a bulk of messages took over an uplink of so many bytes in a millisecond. */
interface Bulk {
  /** Packets of data that went out, the second time and later ones included. */
  readonly sent: number
  readonly ms: number
}

/** One direction in virtual time. The receiver reads at once. */
class SlowLink {
  readonly #ends: Readonly<Record<OnItsWay['to'], Machine>>
  readonly #perMs: number
  #now = 0
  #freeAt = 0
  #onItsWay: OnItsWay[] = []
  #sent = 0
  #delivered = 0

  constructor(sender: Machine, receiver: Machine, perMs: number) {
    this.#ends = { sender, receiver }
    this.#perMs = perMs
    this.#apply('receiver', receiver.start(0))
    this.#apply('sender', sender.start(0))
  }

  run(messageBytes: number, limitMs: number): Bulk {
    const { sender } = this.#ends
    const message = new Uint8Array(messageBytes)
    for (let given = 0; this.#delivered < MESSAGES && this.#now < limitMs;) {
      if (given < MESSAGES && sender.hasRoom) {
        given++
        this.#on('sender', { type: 'message', message })
      } else this.#next()
    }
    return { sent: this.#sent, ms: this.#now }
  }

  #next(): void {
    const { sender, receiver } = this.#ends
    const [first] = this.#onItsWay.sort((a, b) => a.atMs - b.atMs)
    const dueAt = Math.min(sender.deadline, receiver.deadline)
    this.#now = Math.max(this.#now, Math.min(first?.atMs ?? Infinity, dueAt))
    if (first && first.atMs <= this.#now) {
      this.#onItsWay.shift()
      return this.#on(first.to, { type: 'packet', bytes: first.bytes })
    }
    // The system has taken all: below nothing is known of what still waits.
    const end = sender.deadline <= this.#now ? 'sender' : 'receiver'
    this.#on(end, { type: 'timer', busy: false })
  }

  #on(
    end: OnItsWay['to'],
    event:
      | { readonly type: 'message'; readonly message: Uint8Array }
      | { readonly type: 'packet'; readonly bytes: Uint8Array }
      | { readonly type: 'timer'; readonly busy: boolean }
      | { readonly type: 'read' },
  ): void {
    this.#apply(end, this.#ends[end].on({ ...event, now: this.#now }))
  }

  #apply(end: OnItsWay['to'], effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.type === 'ended') throw effect.error ?? new Error('ended')
      if (effect.type === 'deliver') {
        this.#delivered++
        this.#on('receiver', { type: 'read' })
      }
      if (effect.type === 'send') this.#send(end, effect.packet)
    }
  }

  #send(end: OnItsWay['to'], bytes: Uint8Array): void {
    if (end === 'receiver') {
      this.#onItsWay.push({ atMs: this.#now + ONE_WAY_MS, bytes, to: 'sender' })
      return
    }
    if (bytes.length > 1_000) this.#sent++
    this.#freeAt = Math.max(this.#freeAt, this.#now) + bytes.length / this.#perMs
    this.#onItsWay.push({ atMs: this.#freeAt + ONE_WAY_MS, bytes, to: 'receiver' })
  }
}

const RECEIVERS: readonly (readonly [string, () => Machine])[] = [
  ['ours', () => new CoreMachine('server')],
  ["one like Go's", () => new GoMachine('server')],
]

for (const [whose, receiver] of RECEIVERS) {
  for (const [kbits, messageBytes] of [
    [8_000, 65_604],
    [2_000, 65_604],
    [1_000, 65_604],
    [500, 65_604],
    [250, 65_604],
    [125, 32_802],
  ] as const) {
    test(`an uplink of ${kbits} kbit/s to ${whose}: ${messageBytes} bytes a message go out once`, () => {
      const perMs = kbits / 8
      const idealMs = (MESSAGES * messageBytes) / perMs
      const link = new SlowLink(new CoreMachine('client'), receiver(), perMs)
      const { sent, ms } = link.run(messageBytes, 3 * idealMs)
      assert.equal(sent, MESSAGES)
      assert.ok(ms < 1.05 * idealMs + 1_000, `${ms} ms, where the link itself takes ${idealMs}`)
    })
  }
}
