/**
 * The sending half (LNC §9.3): up to n packets outstanding, numbers modulo n + 1.
 *
 * Deviations, all invisible on the wire but in time:
 * - After a resend new packets go out at once (Go holds them back for a second or more).
 * - A NACK resends at once, unless the packet it asks for is still on its way.
 * - The resend timer runs from the last progress, so that a stream of the peer's data cannot put off a
 *   resend for ever (Go restarts it with every packet it receives). Only a repeated ACK, by which a
 *   peer whose application does not read says that it is alive, puts it off.
 * - A server that has heard nothing since a resend waits long enough for the next that a Go client which
 *   starts over gets its SYN out: that waits for 2 s without any packet, left-overs included.
 * - An ACK or NACK that would acknowledge most of the modulus at once is taken as a late one of the
 *   round before, if the window has just moved: with window n and modulus n + 1 the two look alike
 *   when a link reorders. After a real loss of so many ACKs the answer to the resend passes.
 */
import type { Effect, Role } from './events.ts'
import { encodePacket } from './packet.ts'
import type { RoundTrip } from './round-trip.ts'

/** How long after the window moved a late ACK may still come; below every resend timeout. */
const LATE_ACK_MS = 250

/** How long a repeated ACK puts off the resend; Go's resend timeout. */
const HOLD_MS = 1000

/** How long a server leaves the line quiet between two resends of which it heard nothing. */
const QUIET_MS = 2200

/**
 * How long a NACK for a packet that was resent already resends nothing, however short the round trip: four bytes of a
 * relay that forges them would cost a window each. Honest ends repeat a NACK no sooner than this (`ReceiveWindow`).
 */
const REPEAT_MS = 50

interface Outstanding {
  readonly packet: Uint8Array
  sentAt: number
  resent: boolean
}

/** Packets sent and not yet acknowledged, oldest first, and when to send them again. */
export class SendWindow {
  readonly #n: number
  readonly #modulus: number
  readonly #roundTrip: RoundTrip
  /** Slot of each number of the modulus. */
  readonly #slots: (Outstanding | undefined)[]
  #base = 0
  #count = 0
  #bytes = 0
  #movedAt = -Infinity
  #resendAt = Infinity
  /** When the resend timer was started. */
  #startedAt = -Infinity
  /** Whether the timer has resent and the peer said nothing since. */
  #unanswered = false
  readonly #quietMs: number

  constructor(role: Role, n: number, roundTrip: RoundTrip) {
    this.#quietMs = role === 'server' ? QUIET_MS : 0
    this.#n = n
    this.#modulus = n + 1
    this.#roundTrip = roundTrip
    this.#slots = new Array<Outstanding | undefined>(n + 1)
  }

  /** Packets not yet acknowledged. */
  get outstanding(): number {
    return this.#count
  }

  /** Whether one more packet may go out. */
  get hasRoom(): boolean {
    return this.#count < Math.min(this.#n, this.#roundTrip.packets)
  }

  /** When to resend; `Infinity` while nothing is outstanding. */
  get resendAt(): number {
    return this.#resendAt
  }

  /** Sends `message` in one packet with the next number. */
  message(message: Uint8Array, now: number, effects: Effect[]): void {
    this.#push({ final: true, ping: false, payload: message }, now, effects)
  }

  /** Sends a ping, which takes the next number; its final flag is 0 (LNC §16.15). */
  ping(now: number, effects: Effect[]): void {
    this.#push({ final: false, ping: true, payload: new Uint8Array(0) }, now, effects)
  }

  #push(
    data: { final: boolean; ping: boolean; payload: Uint8Array },
    now: number,
    effects: Effect[],
  ): void {
    const seq = (this.#base + this.#count) % this.#modulus
    const packet = encodePacket({ type: 'data', seq, ...data })
    this.#slots[seq] = { packet, sentAt: now, resent: false }
    this.#count++
    this.#bytes += packet.length
    if (this.#count === 1) this.#restart(now)
    // The more is on its way, the longer the first answer may take.
    else this.#resendAt = Math.max(this.#resendAt, this.#startedAt + this.#waitMs())
    effects.push({ type: 'send', packet })
  }

  /** A packet came, of whatever kind, or the way to the peer is new. */
  heard(now: number): void {
    if (!this.#unanswered) return
    this.#unanswered = false
    const dueAt = this.#startedAt + this.#roundTrip.resendMs(this.#bytes)
    this.#resendAt = Math.min(this.#resendAt, Math.max(now, dueAt))
  }

  /** ACK `seq`: everything up to and including it has arrived. Outside the window it is ignored. */
  acknowledged(seq: number, now: number): void {
    if (seq >= this.#modulus) return
    const count = ((seq - this.#base + this.#modulus) % this.#modulus) + 1
    // The number before the window: the peer is alive but holds its acknowledgements back.
    if (count === this.#modulus && this.#count > 0) {
      this.#resendAt = Math.max(this.#resendAt, now + HOLD_MS)
    }
    if (count > this.#count || this.#isLate(count, now)) return
    const slot = this.#slots[seq]
    if (slot && !slot.resent) this.#roundTrip.measured(now - slot.sentAt)
    this.#advance(count, now)
  }

  /** NACK `seq`: everything before it has arrived, it and the rest are wanted. */
  refused(seq: number, now: number, effects: Effect[]): void {
    if (seq >= this.#modulus) return
    const count = (seq - this.#base + this.#modulus) % this.#modulus
    if (count > this.#count || this.#isLate(count, now)) return
    if (count > 0) this.#advance(count, now)
    const wanted = this.#slots[this.#base]
    // `seq` equal to the next number to be sent: all has arrived, nothing is wanted.
    if (this.#count === 0 || wanted === undefined) return
    const pauseMs = wanted.resent ? REPEAT_MS : 0
    if (now - wanted.sentAt >= Math.max(pauseMs, this.#roundTrip.shortestMs)) {
      this.resend(now, effects)
    }
  }

  /** The timer fired: resends, or waits on while the link below still holds earlier packets. */
  timeout(busy: boolean, now: number, effects: Effect[]): void {
    if (busy) return this.#restart(now)
    this.#roundTrip.resent()
    this.#unanswered = true
    this.resend(now, effects)
  }

  /** Sends all that is outstanding once more, in order. */
  resend(now: number, effects: Effect[]): void {
    for (let i = 0; i < this.#count; i++) {
      const slot = this.#slots[(this.#base + i) % this.#modulus]
      if (slot === undefined) continue
      slot.resent = true
      slot.sentAt = now
      effects.push({ type: 'send', packet: slot.packet })
    }
    this.#restart(now)
  }

  #isLate(count: number, now: number): boolean {
    return count > Math.ceil((2 * this.#n) / 3) && now - this.#movedAt < LATE_ACK_MS
  }

  #advance(count: number, now: number): void {
    for (let i = 0; i < count; i++) {
      this.#bytes -= this.#slots[this.#base]?.packet.length ?? 0
      this.#slots[this.#base] = undefined
      this.#base = (this.#base + 1) % this.#modulus
    }
    this.#count -= count
    this.#movedAt = now
    this.#roundTrip.progressed()
    this.#restart(now)
  }

  #restart(now: number): void {
    this.#startedAt = now
    this.#resendAt = this.#count === 0 ? Infinity : now + this.#waitMs()
  }

  #waitMs(): number {
    return Math.max(this.#roundTrip.resendMs(this.#bytes), this.#unanswered ? this.#quietMs : 0)
  }
}
