/**
 * Runs a Go-Back-N core (`step.ts`) over a link: brings it packets and the time, does what it asks.
 * One timer for everything; it is moved only when something falls due earlier, so that a busy
 * connection sets a few timers a second and not one for each packet.
 */
import type { Clock } from '../../src/base/clock.ts'
import { asPinholeError, PinholeError } from '../../src/base/errors.ts'
import type { Link } from '../link.ts'
import type { Event } from './events.ts'
import { deadline, hasRoom, outstanding, step, type State, type Step } from './step.ts'

/** `Event` without its time, which the driver adds. */
export type Occasion =
  | { readonly type: 'message'; readonly message: Uint8Array }
  | { readonly type: 'read' | 'sleep' | 'wake' | 'close' }

/** Whom the driver tells. The calls come in the order of the core's effects and must not throw. */
export interface Listener {
  opened(): void
  delivered(message: Uint8Array): void
  /** The connection is over; without an error in order. */
  ended(error: PinholeError | undefined): void
  /** The link below is over, and so is everything. */
  lost(error: PinholeError): void
  /** An event was dealt with: there may be room to send. */
  settled(): void
}

/**
 * Packets that may wait for the link below. A window and its resends stay far below; a relay that takes nothing and asks
 * for more and more, by NACKs or pings, loses what is beyond, which Go-Back-N sends again.
 */
const MAX_UNSENT = 256

/** A core at work. It owns `lower`, whose one reader it is, until `stop`. */
export class Driver {
  readonly #lower: Link
  readonly #clock: Clock
  readonly #listener: Listener
  #state: State
  #timerAt = Infinity
  #cancelTimer: () => void = () => {}
  #unsent = 0
  #stopped = false
  #flushing: (() => void)[] = []

  /** @param first makes the core's first step */
  constructor(lower: Link, clock: Clock, listener: Listener, first: (now: number) => Step) {
    this.#lower = lower
    this.#clock = clock
    this.#listener = listener
    const { state, effects } = first(clock.now())
    this.#state = state
    this.#apply(effects)
    this.#arm()
    void this.#read()
  }

  /** Whether a `message` would be taken now. */
  get hasRoom(): boolean {
    return hasRoom(this.#state)
  }

  /** Packets that the peer has not acknowledged. */
  get outstanding(): number {
    return outstanding(this.#state)
  }

  /** Tells the core what the application does. */
  on(occasion: Occasion): void {
    this.#step({ ...occasion, now: this.#clock.now() })
  }

  /** Resolves when the link below has taken every packet, or after `withinMs`. */
  async flushed(withinMs: number): Promise<void> {
    if (this.#unsent === 0 || this.#stopped) return
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.after(withinMs, resolve)
      this.#flushing.push(() => {
        cancel()
        resolve()
      })
    })
  }

  /** Lets go of the timer and of the link below, which it closes. */
  stop(): Promise<void> {
    this.#stopped = true
    this.#cancelTimer()
    this.#flushed()
    return this.#lower.close()
  }

  async #read(): Promise<void> {
    try {
      for (;;) {
        const bytes = await this.#lower.receive()
        if (this.#stopped) return
        if (bytes === undefined) break
        this.#step({ type: 'packet', bytes, now: this.#clock.now() })
      }
      this.#lost(new PinholeError('ERR_LINK_CLOSED', 'the link below has ended'))
    } catch (reason) {
      this.#lost(asPinholeError(reason, 'ERR_LINK_CLOSED'))
    }
  }

  #step(event: Event): void {
    if (this.#stopped) return
    const { state, effects } = step(this.#state, event)
    this.#state = state
    this.#apply(effects)
    this.#listener.settled()
    this.#arm()
  }

  #apply(effects: Step['effects']): void {
    for (const effect of effects) {
      switch (effect.type) {
        case 'send':
          if (this.#unsent >= MAX_UNSENT) break
          this.#unsent++
          this.#lower.send(effect.packet).then(this.#sent, this.#refused)
          break
        case 'deliver':
          this.#listener.delivered(effect.message)
          break
        case 'opened':
          this.#listener.opened()
          break
        case 'ended':
          this.#listener.ended(effect.error)
          break
      }
    }
  }

  readonly #sent = (): void => {
    if (--this.#unsent === 0) this.#flushed()
  }

  readonly #refused = (reason: unknown): void => {
    this.#sent()
    this.#lost(asPinholeError(reason, 'ERR_LINK_CLOSED'))
  }

  #flushed(): void {
    for (const resolve of this.#flushing.splice(0)) resolve()
  }

  #lost(error: PinholeError): void {
    if (!this.#stopped) this.#listener.lost(error)
  }

  #arm(): void {
    const at = deadline(this.#state)
    if (at >= this.#timerAt || this.#stopped) return
    this.#cancelTimer()
    this.#timerAt = at
    this.#cancelTimer = this.#clock.after(at - this.#clock.now(), this.#fired)
  }

  readonly #fired = (): void => {
    this.#timerAt = Infinity
    const now = this.#clock.now()
    if (now >= deadline(this.#state)) {
      this.#step({ type: 'timer', busy: this.#unsent > 0, now })
    } else this.#arm()
  }
}
