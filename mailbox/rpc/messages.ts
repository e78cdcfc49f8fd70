/** gRPC's length-prefixed messages, cut out of DATA and put into it (PROTOCOL-HTTP2.md). */
import { concat } from '../../src/base/bytes.ts'
import { PinholeError } from '../../src/base/errors.ts'
import { readUint32 } from '../../src/http2/frame.ts'

/** Compressed flag and length. */
export const PREFIX_BYTES = 5

/** The largest answer that is taken: what Go's clients of LNC allow (LNC §12). */
export const MAX_ANSWER_BYTES = 200 * 1024 * 1024

/** `message` with its prefix; not compressed. */
export function frameMessage(message: Uint8Array): Uint8Array {
  const { length } = message
  const framed = new Uint8Array(PREFIX_BYTES + length)
  framed[1] = length >>> 24
  framed[2] = length >>> 16
  framed[3] = length >>> 8
  framed[4] = length
  framed.set(message, PREFIX_BYTES)
  return framed
}

const NOTHING = new Uint8Array(0)

/**
 * Puts messages together from pieces of any size. What is kept is copied: never more than twice what was received, nor
 * than the message.
 */
export class MessageReader {
  /** The message under way with its prefix: the first `#length` bytes. */
  #held = NOTHING
  #length = 0
  readonly #maxBytes: number

  /** Takes messages of at most `maxBytes`. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Whether a message has begun and not ended. */
  get partial(): boolean {
    return this.#length > 0
  }

  /**
   * The messages that `bytes` completes, as copies of their own.
   * Throws `ERR_NODE_MESSAGE_SIZE` for one that is announced too long, `ERR_NODE_CALL` for a compressed one.
   */
  read(bytes: Uint8Array): Uint8Array[] {
    const messages: Uint8Array[] = []
    let rest = bytes
    for (;;) {
      const wanted = this.#wanted(rest)
      if (wanted === 0 || this.#length + rest.length < wanted) {
        if (rest.length > 0) this.#keep(rest, wanted)
        return messages
      }
      const take = wanted - this.#length
      messages.push(this.#complete(rest.subarray(0, take), wanted))
      rest = rest.subarray(take)
    }
  }

  /** Bytes of the message under way with its prefix; 0 while the prefix is not complete. */
  #wanted(rest: Uint8Array): number {
    if (this.#length + rest.length < PREFIX_BYTES) return 0
    const prefix = this.#length === 0 ? rest : this.#prefix(rest)
    const length = readUint32(prefix, 1)
    if (length > this.#maxBytes) {
      const limit = `the limit is ${this.#maxBytes} (maxAnswerBytes)`
      throw new PinholeError(
        'ERR_NODE_MESSAGE_SIZE',
        `the node answers with ${length} bytes; ${limit}`,
      )
    }
    if (prefix[0] !== 0) {
      throw new PinholeError('ERR_NODE_CALL', 'the node answers in a compression nobody asked for')
    }
    return PREFIX_BYTES + length
  }

  #prefix(rest: Uint8Array): Uint8Array {
    if (this.#length >= PREFIX_BYTES) return this.#held
    return concat(this.#held.subarray(0, this.#length), rest.subarray(0, PREFIX_BYTES))
  }

  #keep(bytes: Uint8Array, wanted: number): void {
    const needed = this.#length + bytes.length
    if (needed > this.#held.length) {
      const doubled = 2 * this.#held.length
      const size = wanted === 0 ? doubled : Math.min(doubled, wanted)
      const grown = new Uint8Array(Math.max(needed, size))
      grown.set(this.#held.subarray(0, this.#length))
      this.#held = grown
    }
    this.#held.set(bytes, this.#length)
    this.#length = needed
  }

  #complete(last: Uint8Array, wanted: number): Uint8Array {
    if (this.#length === 0) return new Uint8Array(last.subarray(PREFIX_BYTES))
    this.#keep(last, wanted)
    const message = this.#held.subarray(PREFIX_BYTES, wanted)
    this.#held = NOTHING
    this.#length = 0
    return message
  }
}
