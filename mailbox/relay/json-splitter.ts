/**
 * Cuts a body of JSON objects, one after the other with or without blanks between, into texts; what is in
 * them is not looked at (LNC §10.1: REST send). Pure.
 */
import { compact } from '../../src/base/bytes.ts'
import { PinholeError } from '../../src/base/errors.ts'
import { BoxText } from './box-text.ts'
import { badJson, tooLarge } from './refusals.ts'
import type { MessageSource, SentMessage } from './sending.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN = 0x7b
const CLOSE = 0x7d
const isBlank = (byte: number): boolean => byte === 32 || byte === 10 || byte === 13 || byte === 9

const NO_BYTES: Uint8Array = new Uint8Array(0)

/** An unfinished text of up to so many bytes is kept before it is paid for. */
const UNPAID_BYTES = 4096

/** Texts as a source of messages. */
export class JsonSplitter implements MessageSource {
  readonly #maxBytes: number
  readonly #text = new BoxText()
  #bytes = NO_BYTES
  #length = 0
  /** Where the scan stands: bytes before are known to hold no end of a text. */
  #scanned = 0
  #depth = 0
  #inString = false
  #escaped = false
  #ended = false
  /** End of the first whole text. */
  #end: number | undefined

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Adds bytes of the body. */
  push(chunk: Uint8Array): void {
    if (this.#length === 0) {
      this.#bytes = chunk
      this.#length = chunk.length
      return
    }
    // Copied, whatever their size: a million chunks of one byte must not cost a million objects.
    const needed = this.#length + chunk.length
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length))
      grown.set(this.#bytes.subarray(0, this.#length))
      this.#bytes = grown
    }
    this.#bytes.set(chunk, this.#length)
    this.#length = needed
  }

  /** The body has ended: an unfinished text is an error now. */
  finish(): void {
    this.#ended = true
  }

  size(): number | PinholeError | undefined {
    const fault = this.#end === undefined ? this.#scan() : undefined
    if (fault) return fault
    const size = this.#end ?? this.#length
    if (size > this.#maxBytes) return tooLarge(size, this.#maxBytes)
    if (this.#end !== undefined) return this.#end
    if (this.#ended && this.#length > 0) return badJson('unexpected EOF')
    if (this.#length > UNPAID_BYTES) return this.#maxBytes
    this.#bytes = compact(this.#bytes.subarray(0, this.#length))
    return undefined
  }

  take(first: boolean): SentMessage | PinholeError | undefined {
    const size = this.size()
    if (size instanceof PinholeError) return size
    const end = this.#end
    if (end === undefined) return undefined
    const text = this.#bytes.subarray(0, end)
    this.#reset(this.#bytes.subarray(end, this.#length))
    return this.#text.read(text, first)
  }

  #scan(): PinholeError | undefined {
    const bytes = this.#bytes
    for (let i = this.#scanned; i < this.#length; i++) {
      const byte = bytes[i] ?? 0
      if (this.#depth === 0 && byte !== OPEN) {
        if (isBlank(byte)) continue
        return badJson(`invalid character ${JSON.stringify(String.fromCharCode(byte))}`)
      }
      if (!this.#closes(byte)) continue
      this.#end = i + 1
      return undefined
    }
    this.#scanned = this.#length
    if (this.#depth === 0) this.#reset(NO_BYTES) // nothing but blanks
    return undefined
  }

  /** Follows one byte; true when it ends a text. */
  #closes(byte: number): boolean {
    if (this.#inString) {
      if (this.#escaped) this.#escaped = false
      else if (byte === BACKSLASH) this.#escaped = true
      else if (byte === QUOTE) this.#inString = false
      return false
    }
    if (byte === QUOTE) this.#inString = true
    else if (byte === OPEN) this.#depth++
    else if (byte === CLOSE) this.#depth--
    return this.#depth === 0
  }

  #reset(rest: Uint8Array): void {
    this.#bytes = rest
    this.#length = rest.length
    this.#scanned = 0
    this.#depth = 0
    this.#inString = false
    this.#escaped = false
    this.#end = undefined
  }
}
