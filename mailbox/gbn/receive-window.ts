/**
 * The receiving half (LNC §9.4): takes packets in order, acknowledges each, joins chunks.
 *
 * Deviation: when the application does not read, Go stops reading the mailbox and with that answers
 * neither data nor pings, so that its peer gives it up after ten seconds. Here packets are still taken
 * but their ACKs are held back, which stops the sender at a full window; meanwhile the last ACK is
 * repeated. That lies outside the sender's window, so it acknowledges nothing, but as a received packet
 * it keeps the peer's timers from firing. So at most n messages wait acknowledged and n packets held.
 */
import { concat } from '../../src/base/bytes.ts'
import { PinholeError } from '../../src/base/errors.ts'
import type { Effect } from './events.ts'
import { encodePacket, type DataPacket } from './packet.ts'
import type { RoundTrip } from './round-trip.ts'

/** Most bytes of one message in all its chunks: the relay's largest message. */
export const MAX_MESSAGE_BYTES = 4 * 1024 * 1024

/** What each chunk counts beside its payload, so that empty ones are bounded too. */
const CHUNK_COST_BYTES = 64

/** How often a held peer is told that this end is alive; below Go's resend timeout of 1 s. */
const ALIVE_MS = 400

/** A NACK is not repeated for the same number within a round trip, and not within this. */
const MIN_NACK_MS = 100

/** Numbers expected and owed, and the message being joined. */
export class ReceiveWindow {
  readonly #n: number
  readonly #modulus: number
  readonly #roundTrip: RoundTrip
  #expected = 0
  /** Packets taken whose ACK is held back. */
  #held = 0
  /** Messages that the application has not read. */
  #unread = 0
  #aliveAt = Infinity
  #nacked = -1
  #nackedAt = -Infinity
  #chunks: Uint8Array[] = []
  #chunkBytes = 0

  constructor(n: number, roundTrip: RoundTrip) {
    this.#n = n
    this.#modulus = n + 1
    this.#roundTrip = roundTrip
  }

  /** When to tell a held peer again that this end is alive; `Infinity` when none is held. */
  get aliveAt(): number {
    return this.#aliveAt
  }

  /** Takes a DATA packet. @throws `ERR_LINK_MESSAGE_SIZE` when a message in chunks grows too large. */
  data(packet: DataPacket, now: number, effects: Effect[]): void {
    if (packet.seq !== this.#expected) return this.#refuse(now, effects)
    if (this.#held === this.#n) return
    this.#expected = (this.#expected + 1) % this.#modulus
    // The ACK leaves before the data is handed up (LNC §9.4).
    this.#held++
    if (this.#unread < this.#n) this.#acknowledge(effects)
    else if (this.#aliveAt === Infinity) this.#alive(now, effects)
    if (!packet.ping) this.#join(packet, effects)
  }

  /** The application read one message: once half the queue is free, held ACKs go out. */
  read(effects: Effect[]): void {
    this.#unread--
    if (this.#held > 0 && this.#unread <= this.#n / 2) this.#acknowledge(effects)
  }

  /** `aliveAt` passed: repeats the last ACK. */
  timeout(now: number, effects: Effect[]): void {
    this.#alive(now, effects)
  }

  #alive(now: number, effects: Effect[]): void {
    const seq = (this.#expected - this.#held - 1 + 2 * this.#modulus) % this.#modulus
    effects.push({ type: 'send', packet: encodePacket({ type: 'ack', seq }) })
    this.#aliveAt = now + ALIVE_MS
  }

  /** One ACK for each packet: Go measures by them, and a sender can tell late ones (`SendWindow`). */
  #acknowledge(effects: Effect[]): void {
    for (; this.#held > 0; this.#held--) {
      const seq = (this.#expected - this.#held + this.#modulus) % this.#modulus
      effects.push({ type: 'send', packet: encodePacket({ type: 'ack', seq }) })
    }
    this.#aliveAt = Infinity
  }

  /** A packet out of turn, lost before or sent twice: asks for the expected one (LNC §9.4). */
  #refuse(now: number, effects: Effect[]): void {
    // A NACK would acknowledge what is held.
    if (this.#held > 0) return
    const pauseMs = Math.max(MIN_NACK_MS, this.#roundTrip.smoothedMs)
    if (this.#nacked === this.#expected && now - this.#nackedAt < pauseMs) return
    this.#nacked = this.#expected
    this.#nackedAt = now
    effects.push({ type: 'send', packet: encodePacket({ type: 'nack', seq: this.#expected }) })
  }

  #join(packet: DataPacket, effects: Effect[]): void {
    this.#chunkBytes += packet.payload.length + CHUNK_COST_BYTES
    if (this.#chunkBytes - CHUNK_COST_BYTES > MAX_MESSAGE_BYTES) {
      throw new PinholeError(
        'ERR_LINK_MESSAGE_SIZE',
        `the peer's message exceeds ${MAX_MESSAGE_BYTES} bytes`,
      )
    }
    const whole = packet.final && this.#chunks.length === 0
    if (!whole) this.#chunks.push(packet.payload)
    if (!packet.final) return
    const message = whole ? packet.payload : concat(...this.#chunks)
    this.#chunks = []
    this.#chunkBytes = 0
    this.#unread++
    effects.push({ type: 'deliver', message })
  }
}
