/**
 * The texts of a send socket without a JSON parser: all texts of a client begin and end alike, and only the
 * base64 between changes. The first goes through the parser; from then on its beginning is compared, and
 * whatever does not match goes through the parser again.
 */
import type { PinholeError } from '../../src/base/errors.ts'
import { isRefused, parseCipherBox } from '../hashmail/json.ts'
import { badJson } from './refusals.ts'
import { firstMessage } from './requests.ts'
import type { SentMessage } from './sending.ts'

const QUOTE = 0x22
const BRACE = 0x7d
const TAIL_BYTES = 2 // `"}`
const MSG_BEFORE_QUOTE = /"msg" ?: ?"$/

export class BoxText {
  #head: Buffer | undefined

  /** The message that one text holds. The first one names its box. */
  read(text: Uint8Array, first: boolean): SentMessage | PinholeError {
    const bytes = Buffer.from(text.buffer, text.byteOffset, text.byteLength)
    const msg = first ? undefined : this.#quick(bytes)
    return msg ? { streamId: msg, msg } : this.#parse(bytes, first)
  }

  #quick(text: Buffer): Buffer | undefined {
    const head = this.#head
    if (!head) return undefined
    const end = text.length - TAIL_BYTES
    if (end < head.length || text[end] !== QUOTE || text[end + 1] !== BRACE) return undefined
    if (head.compare(text, 0, head.length) !== 0) return undefined
    return decode(text, head.length, end)
  }

  #parse(text: Buffer, first: boolean): SentMessage | PinholeError {
    const box = parseCipherBox(text.toString('utf8'))
    if (isRefused(box)) return badJson(box.refused)
    this.#learn(text)
    return first ? firstMessage(box) : { streamId: box.msg, msg: box.msg }
  }

  /** Keeps what stands before the base64 of `msg`, when that is the last thing in the text. */
  #learn(text: Buffer): void {
    this.#head = undefined
    const end = text.length - TAIL_BYTES
    if (text[end] !== QUOTE || text[end + 1] !== BRACE) return
    const head = text.subarray(0, text.lastIndexOf(QUOTE, end - 1) + 1)
    if (MSG_BEFORE_QUOTE.test(head.toString('latin1'))) this.#head = Buffer.from(head)
  }
}

/** Standard, padded base64 as every client sends it; anything else is left to the parser. */
function decode(text: Buffer, start: number, end: number): Buffer | undefined {
  const length = end - start
  if (length % 4 !== 0) return undefined
  const padding = text[end - 1] !== EQUALS ? 0 : text[end - 2] !== EQUALS ? 1 : 2
  const bytes = Buffer.from(text.toString('latin1', start, end), 'base64')
  // Node leaves out what is not base64, and then the length is short.
  return bytes.length === (length / 4) * 3 - (length === 0 ? 0 : padding) ? bytes : undefined
}

const EQUALS = 0x3d
