/** A Go-Back-N core under a test's hand: events in short, effects as lines. */
import assert from 'node:assert/strict'
import type { Event, Role } from '../../../mailbox/gbn/events.ts'
import { greet, listen } from '../../../mailbox/gbn/handshake.ts'
import { decodePacket, encodePacket, type Packet } from '../../../mailbox/gbn/packet.ts'
import { deadline, step, type State, type Step } from '../../../mailbox/gbn/step.ts'
import { text, utf8 } from '../../../src/base/bytes.ts'

/** Time a core's greeting lasts. */
export const GREETING_MS = 30_000

/** `packet` in one line, as the recorded exchanges name it, with a payload of text. */
export function line(packet: Packet): string {
  switch (packet.type) {
    case 'syn':
      return `SYN ${packet.n}`
    case 'data':
      return packet.ping
        ? `PING ${packet.seq}`
        : `DATA ${packet.seq} ${text(packet.payload)}${packet.final ? '' : '…'}`
    case 'ack':
    case 'nack':
      return `${packet.type.toUpperCase()} ${packet.seq}`
    case 'fin':
    case 'synack':
      return packet.type.toUpperCase()
  }
}

/** One core; every method answers with the effects since the last one. */
export class Core {
  state: State = listen()
  now = 0
  #lines: string[] = []

  constructor(role: Role) {
    if (role === 'client') this.#take(greet(0, GREETING_MS))
  }

  /** Handshake done, output empty. */
  static open(role: Role, n = 20, roundTripMs = 0): Core {
    const core = new Core(role)
    core.take()
    if (role === 'server') core.receive({ type: 'syn', n })
    core.now += roundTripMs
    core.receive(role === 'server' ? { type: 'synack' } : { type: 'syn', n })
    assert.equal(core.state.phase, 'open')
    return core
  }

  take(): string[] {
    const lines = this.#lines
    this.#lines = []
    return lines
  }

  receive(...packets: Packet[]): string[] {
    for (const packet of packets) {
      this.#on({ type: 'packet', bytes: encodePacket(packet), now: this.now }, true)
    }
    return this.take()
  }

  bytes(bytes: Uint8Array): string[] {
    return this.#on({ type: 'packet', bytes, now: this.now })
  }

  data(seq: number, message = 'm', { final = true, ping = false } = {}): string[] {
    return this.receive({ type: 'data', seq, final, ping, payload: utf8(ping ? '' : message) })
  }

  ack(seq: number): string[] {
    return this.receive({ type: 'ack', seq })
  }

  nack(seq: number): string[] {
    return this.receive({ type: 'nack', seq })
  }

  send(...messages: string[]): string[] {
    for (const message of messages) {
      this.#on({ type: 'message', message: utf8(message), now: this.now }, true)
    }
    return this.take()
  }

  on(type: 'read' | 'sleep' | 'wake' | 'close'): string[] {
    return this.#on({ type, now: this.now })
  }

  /** Lets time pass; timers fire when they fall due. */
  wait(ms: number, busy = false): string[] {
    const end = this.now + ms
    while (deadline(this.state) <= end) {
      this.now = deadline(this.state)
      this.#on({ type: 'timer', busy, now: this.now }, true)
    }
    this.now = end
    return this.take()
  }

  /** A timer that fires before anything is due. */
  early(): string[] {
    return this.#on({ type: 'timer', busy: false, now: this.now })
  }

  #on(event: Event, keep = false): string[] {
    this.#take(step(this.state, event))
    return keep ? [] : this.take()
  }

  #take({ state, effects }: Step): void {
    this.state = state
    for (const effect of effects) {
      switch (effect.type) {
        case 'send':
          this.#lines.push(line(decodePacket(effect.packet)))
          break
        case 'deliver':
          this.#lines.push(`> ${text(effect.message)}`)
          break
        case 'opened':
          this.#lines.push('opened')
          break
        case 'ended':
          this.#lines.push(`ended ${effect.error?.code ?? 'in order'}`)
          break
      }
    }
  }
}
