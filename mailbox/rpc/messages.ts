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

/** Puts messages together from pieces of any size. What is kept never exceeds what was received. */
export class MessageReader {
  #pieces: Uint8Array[] = []
  #held = 0
  readonly #maxBytes: number

  /** Takes messages of at most `maxBytes`. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Whether a message has begun and not ended. */
  get partial(): boolean {
    return this.#held > 0
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
      if (this.#held + rest.length < wanted || wanted === 0) break
      const take = wanted - this.#held
      messages.push(this.#join(rest.subarray(0, take)))
      rest = rest.subarray(take)
    }
    if (rest.length > 0) {
      this.#pieces.push(rest)
      this.#held += rest.length
    }
    return messages
  }

  /** Bytes of the message under way with its prefix; 0 while the prefix is not complete. */
  #wanted(rest: Uint8Array): number {
    if (this.#held + rest.length < PREFIX_BYTES) return 0
    const prefix = this.#held === 0 ? rest : this.#prefix(rest)
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
    const [first] = this.#pieces
    if (first && first.length >= PREFIX_BYTES) return first
    const held = concat(...this.#pieces)
    this.#pieces = [held]
    return held.length >= PREFIX_BYTES ? held : concat(held, rest.subarray(0, PREFIX_BYTES))
  }

  #join(last: Uint8Array): Uint8Array {
    if (this.#held === 0) return last.slice(PREFIX_BYTES)
    const message = concat(...this.#pieces, last).subarray(PREFIX_BYTES)
    this.#pieces = []
    this.#held = 0
    return message
  }
}
