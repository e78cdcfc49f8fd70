/**
 * The encrypted link over a finished handshake (LNC §7). Below it runs a byte stream of records, cut
 * into messages in any way; what we send is header and body in one message, and up to two records, which Go
 * reads and which makes a quarter of its number of mailbox messages.
 */
import { PinholeError } from '../../src/base/errors.ts'
import type { LncCrypto } from '../crypto/crypto.ts'
import type { Link } from '../link.ts'
import { ByteQueue } from './byte-queue.ts'
import {
  HEADER_BYTES,
  MAX_SENT_BYTES,
  RECORD_OVERHEAD_BYTES,
  RecordCipher,
} from './record-cipher.ts'

/**
 * Full records in one message. The window below counts messages (LNC §9), so that two carry twice as much in each round
 * trip; a Go client over WebSocket takes messages of up to 76,600 bytes (LNC §10.5), which a third would exceed.
 */
const RECORDS_PER_MESSAGE = 2

/** Keys of a session. They are copied, the copies wiped at the end. */
export interface RecordKeys {
  readonly crypto: LncCrypto
  /** The final chaining key, from which both directions draw new keys (LNC §7). */
  readonly salt: Uint8Array
  readonly sendKey: Uint8Array
  readonly receiveKey: Uint8Array
}

/**
 * `send` takes any length and sends nothing for an empty one; `receive` gives the plaintext of one
 * record after the other and passes over empty ones. A record that does not open closes the link:
 * `ERR_NOISE_RECORD`, then and at every later call.
 */
export function recordLink(lower: Link, keys: RecordKeys): Link {
  return new RecordLink(lower, keys)
}

class RecordLink implements Link {
  readonly #lower: Link
  readonly #sender: RecordCipher
  readonly #receiver: RecordCipher
  readonly #arrived = new ByteQueue()
  #bodyBytes: number | undefined
  #end: 'closed' | PinholeError | undefined

  constructor(lower: Link, keys: RecordKeys) {
    this.#lower = lower
    this.#sender = new RecordCipher(keys.crypto, keys.sendKey, keys.salt)
    this.#receiver = new RecordCipher(keys.crypto, keys.receiveKey, keys.salt)
  }

  async send(plaintext: Uint8Array): Promise<void> {
    if (this.#end === 'closed') {
      throw new PinholeError('ERR_LINK_CLOSED', 'the encrypted link is closed')
    }
    if (this.#end) throw this.#end
    // Sealed and handed down at once, so that records leave in the order of their counters however
    // many calls overlap.
    const taken: Promise<void>[] = []
    for (let at = 0; at < plaintext.length;) {
      const end = Math.min(plaintext.length, at + RECORDS_PER_MESSAGE * MAX_SENT_BYTES)
      taken.push(this.#lower.send(this.#sealMessage(plaintext.subarray(at, end))))
      at = end
    }
    await Promise.all(taken)
  }

  async receive(): Promise<Uint8Array | undefined> {
    while (this.#end === undefined) {
      const plaintext = this.#nextRecord()
      if (plaintext?.length) return plaintext
      if (!plaintext && !this.#end) await this.#readMore()
    }
    if (this.#end === 'closed') return undefined
    await this.#lower.close()
    throw this.#end
  }

  async close(): Promise<void> {
    this.#finish('closed')
    await this.#lower.close()
  }

  #sealMessage(plaintext: Uint8Array): Uint8Array {
    const records = Math.ceil(plaintext.length / MAX_SENT_BYTES)
    const message = new Uint8Array(plaintext.length + records * RECORD_OVERHEAD_BYTES)
    let to = 0
    for (let at = 0; at < plaintext.length; at += MAX_SENT_BYTES) {
      const part = plaintext.subarray(at, at + MAX_SENT_BYTES)
      const next = to + part.length + RECORD_OVERHEAD_BYTES
      this.#sender.sealRecord(part, message.subarray(to, next))
      to = next
    }
    return message
  }

  /** Plaintext of the next record, when all of it is there. */
  #nextRecord(): Uint8Array | undefined {
    if (this.#bodyBytes === undefined) {
      const header = this.#arrived.take(HEADER_BYTES)
      if (!header) return undefined
      this.#bodyBytes = this.#receiver.openHeader(header)
      if (this.#bodyBytes === undefined) return this.#poison('the header of a record does not open')
    }
    const body = this.#arrived.take(this.#bodyBytes)
    if (!body) return undefined
    this.#bodyBytes = undefined
    return this.#receiver.openBody(body) ?? this.#poison('the body of a record does not open')
  }

  async #readMore(): Promise<void> {
    const message = await this.#lower.receive()
    if (this.#end) return
    if (message) return this.#arrived.push(message)
    if (this.#arrived.length === 0 && this.#bodyBytes === undefined) this.#finish('closed')
    else this.#poison('the connection ended within a record')
  }

  #poison(what: string): undefined {
    this.#finish(new PinholeError('ERR_NOISE_RECORD', what))
  }

  #finish(end: 'closed' | PinholeError): void {
    this.#end ??= end
    this.#sender.wipe()
    this.#receiver.wipe()
    this.#arrived.clear()
  }
}
