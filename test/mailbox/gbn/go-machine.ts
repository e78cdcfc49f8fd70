/**
 * A model of the Go end by the rules of LNC §9.2–9.5, the ones in which it differs from ours included:
 * surplus SYNs kill it, its resend timer restarts with every packet, a resend is skipped within 2 s of
 * the last one, no new data after a resend until it is in step again, one NACK per number in 2 s.
 */
import type { Effect, Event, Role } from '../../../mailbox/gbn/events.ts'
import { decodePacket, encodePacket, type Packet } from '../../../mailbox/gbn/packet.ts'
import { PinholeError, type ErrorCode } from '../../../src/base/errors.ts'
import type { Machine } from './machine.ts'

const N = 20
const MODULUS = 21
const HANDSHAKE_MS = 2000
const MIN_RESEND_MS = 1000
const PONG_MS = 3000

type Phase = 'greeting' | 'listening' | 'answered' | 'timed out' | 'open' | 'ended'

/** Go's client or server. */
export class GoMachine implements Machine {
  readonly #role: Role
  #phase: Phase = 'listening'
  #effects: Effect[] = []
  #retries = 0
  #handshakeAt = Infinity
  #swallow = false
  #saidHelloAt = 0
  #base = 0
  #queue: Uint8Array[] = []
  #resendMs = MIN_RESEND_MS
  #resendAt = Infinity
  #resentAt = -Infinity
  /** In step again after a resend: by this NACK, by this ACK and a wait, or at this time. */
  #sync: { nack: number; ack: number; until: number } | undefined
  #expected = 0
  #nacked = -1
  #nackedAt = -Infinity
  #pingAt = Infinity
  #pongAt = Infinity

  constructor(role: Role) {
    this.#role = role
  }

  start(now: number): readonly Effect[] {
    if (this.#role === 'client') this.#greet(now)
    return this.#take()
  }

  get deadline(): number {
    const sync = this.#sync?.until ?? Infinity
    return Math.min(this.#handshakeAt, this.#resendAt, this.#pingAt, this.#pongAt, sync)
  }

  get hasRoom(): boolean {
    return this.#phase === 'open' && this.#queue.length < N && !this.#sync
  }

  get outstanding(): number {
    return this.#queue.length
  }

  on(event: Event): readonly Effect[] {
    if (this.#phase === 'ended') return []
    if (event.type === 'packet') this.#packet(decodePacket(event.bytes), event.now)
    if (event.type === 'message') this.#push(event.message, false)
    if (event.type === 'timer') this.#timer(event.now)
    return this.#take()
  }

  #take(): readonly Effect[] {
    const effects = this.#effects
    this.#effects = []
    return effects
  }

  #send(packet: Packet): void {
    this.#effects.push({ type: 'send', packet: encodePacket(packet) })
  }

  #end(code?: ErrorCode): void {
    if (code) this.#send({ type: 'fin' })
    this.#phase = 'ended'
    this.#handshakeAt = this.#resendAt = this.#pingAt = this.#pongAt = Infinity
    this.#sync = undefined
    const error = code && new PinholeError(code, 'in the manner of Go')
    this.#effects.push({ type: 'ended', error })
  }

  #greet(now: number): void {
    this.#phase = 'greeting'
    this.#send({ type: 'syn', n: N })
    this.#handshakeAt = now + HANDSHAKE_MS * (1 + 0.5 * this.#retries)
    this.#saidHelloAt = now
  }

  #open(now: number): void {
    this.#phase = 'open'
    this.#handshakeAt = Infinity
    // The reader of a wait that timed out still takes one packet.
    this.#swallow = this.#retries > 0
    if (this.#retries === 0) this.#resendMs = Math.max(MIN_RESEND_MS, 5 * (now - this.#saidHelloAt))
    this.#heard(now)
    this.#effects.push({ type: 'opened' })
  }

  #heard(now: number): void {
    this.#resendAt = now + this.#resendMs
    this.#pingAt = now + (this.#role === 'client' ? 7000 : 5000)
    this.#pongAt = Infinity
  }

  #packet(packet: Packet, now: number): void {
    switch (this.#phase) {
      case 'greeting':
        if (packet.type !== 'syn') return
        this.#send({ type: 'synack' })
        return this.#open(now)
      case 'listening':
        if (packet.type === 'syn') this.#answer(now)
        return
      case 'answered':
        if (packet.type === 'syn') return this.#answer(now)
        return packet.type === 'synack' ? this.#open(now) : this.#end('ERR_GBN_HANDSHAKE')
      case 'timed out':
        if (packet.type === 'syn') return this.#answer(now)
        if (packet.type === 'synack' || packet.type === 'data') this.#open(now)
        return
      case 'open':
        if (this.#swallow) this.#swallow = false
        else this.#openPacket(packet, now)
        return
      case 'ended':
        return
    }
  }

  #answer(now: number): void {
    this.#phase = 'answered'
    this.#send({ type: 'syn', n: N })
    this.#handshakeAt = now + HANDSHAKE_MS
    this.#saidHelloAt = now
  }

  #openPacket(packet: Packet, now: number): void {
    this.#heard(now)
    switch (packet.type) {
      case 'data':
        if (packet.seq !== this.#expected) return this.#refuse(now)
        this.#send({ type: 'ack', seq: packet.seq })
        this.#expected = (this.#expected + 1) % MODULUS
        if (!packet.ping) this.#effects.push({ type: 'deliver', message: packet.payload })
        return
      case 'ack':
        return this.#acknowledged(packet.seq, now)
      case 'nack':
        return this.#nack(packet.seq, now)
      case 'fin':
        return this.#end()
      case 'syn':
      case 'synack':
        return this.#end('ERR_GBN_PACKET')
    }
  }

  #refuse(now: number): void {
    if (this.#nacked === this.#expected && now - this.#nackedAt < 2 * this.#resendMs) return
    this.#nacked = this.#expected
    this.#nackedAt = now
    this.#send({ type: 'nack', seq: this.#expected })
  }

  #acknowledged(seq: number, now: number): void {
    const count = ((seq - this.#base + MODULUS) % MODULUS) + 1
    if (count > this.#queue.length) return
    if (this.#sync?.ack === seq) this.#sync.until = Math.min(this.#sync.until, now + this.#resendMs)
    this.#advance(count)
  }

  #nack(seq: number, now: number): void {
    if (this.#sync?.nack === seq) this.#sync = undefined
    const count = (seq - this.#base + MODULUS) % MODULUS
    if (count > this.#queue.length) return
    this.#advance(count)
    if (this.#queue.length > 0) this.#resend(now)
  }

  #advance(count: number): void {
    this.#queue.splice(0, count)
    this.#base = (this.#base + count) % MODULUS
  }

  #resend(now: number): void {
    if (now - this.#resentAt < HANDSHAKE_MS) return
    this.#resentAt = now
    for (const packet of this.#queue) this.#effects.push({ type: 'send', packet })
    const top = (this.#base + this.#queue.length) % MODULUS
    const last = (top + MODULUS - 1) % MODULUS
    this.#sync = { nack: top, ack: last, until: now + 3 * this.#resendMs }
  }

  #push(payload: Uint8Array, ping: boolean): void {
    const seq = (this.#base + this.#queue.length) % MODULUS
    const packet = encodePacket({ type: 'data', seq, final: !ping, ping, payload })
    this.#queue.push(packet)
    this.#effects.push({ type: 'send', packet })
  }

  #timer(now: number): void {
    if (this.#handshakeAt <= now) {
      this.#retries++
      if (this.#role === 'client') return this.#greet(now)
      this.#phase = 'timed out'
      this.#handshakeAt = Infinity
    }
    if (this.#sync && this.#sync.until <= now) this.#sync = undefined
    if (this.#pongAt <= now) return this.#end('ERR_GBN_SILENT')
    if (this.#resendAt <= now) {
      this.#resendAt = now + this.#resendMs
      if (this.#queue.length > 0) this.#resend(now)
    }
    if (this.#pingAt > now) return
    this.#pingAt = Infinity
    this.#pongAt = now + PONG_MS
    if (this.hasRoom) this.#push(new Uint8Array(0), true)
  }
}
