/**
 * Whether the peer of a Go-Back-N connection answers, long before the protocol gives it up (10 s, LNC §9.5):
 * every DATA packet is acknowledged by the peer's Go-Back-N itself, however busy what is above it may be.
 *
 *     quiet for a while ─► ask ─► nothing for as long ─► ask again ─► nothing ─► silent ─(any packet)─► heard
 */
import type { Clock } from '../../src/base/clock.ts'
import type { Link } from '../link.ts'
import { isData } from './packet.ts'

/** What a peer that has not answered gets after it was asked once more; so much for a stall of our own. */
const LAST_CHANCE_MS = 250

/** How to listen. */
export interface HearingOptions {
  /** How long the peer may owe an answer; also how long nothing is heard before it is asked. */
  readonly silenceMs: number
  readonly clock: Clock
  /** Told when the peer falls silent (false), and when it is heard again (true). */
  readonly onChange: (isHeard: boolean) => void
}

/** Listens to the packets of one connection. */
export class Hearing {
  readonly #options: HearingOptions
  #ask: () => void = () => {}
  #heardAt: number
  /** Since when the peer owes an answer. */
  #owedAt: number | undefined
  #isHeard = true
  #lastChance = false
  #cancel: () => void = () => {}

  constructor(options: HearingOptions) {
    this.#options = options
    this.#heardAt = options.clock.now()
  }

  /** `lower`, the link that Go-Back-N runs over, with what passes listened to. */
  over(lower: Link): Link {
    return {
      send: (packet) => {
        if (isData(packet)) this.#owedAt ??= this.#options.clock.now()
        return lower.send(packet)
      },
      receive: async () => {
        const packet = await lower.receive()
        if (packet) this.#heard()
        return packet
      },
      close: () => lower.close(),
    }
  }

  /** The connection stands; `ask` sends something that the peer has to answer. */
  start(ask: () => void): void {
    this.#ask = ask
    this.#heardAt = this.#options.clock.now()
    this.#wait(this.#options.silenceMs)
  }

  /** The connection is over; nobody is told anything any more. */
  stop(): void {
    this.#cancel()
    this.#cancel = () => {}
    this.#isHeard = true
    this.#ask = () => {}
  }

  #heard(): void {
    this.#heardAt = this.#options.clock.now()
    this.#owedAt = undefined
    this.#lastChance = false
    if (this.#isHeard) return
    this.#isHeard = true
    this.#options.onChange(true)
  }

  #check(): void {
    const { clock, silenceMs } = this.#options
    const waitMs = (this.#owedAt ?? this.#heardAt) + silenceMs - clock.now()
    if (waitMs > 0) return this.#wait(waitMs)
    if (this.#owedAt !== undefined && this.#lastChance) {
      if (this.#isHeard) {
        this.#isHeard = false
        this.#options.onChange(false)
      }
      return this.#wait(silenceMs)
    }
    this.#lastChance = this.#owedAt !== undefined
    this.#ask()
    this.#wait(this.#lastChance ? LAST_CHANCE_MS : silenceMs)
  }

  #wait(ms: number): void {
    this.#cancel = this.#options.clock.after(ms, () => this.#check())
  }
}
