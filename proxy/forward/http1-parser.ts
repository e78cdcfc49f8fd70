/** Takes the bytes of an HTTP/1.1 connection apart into answers (RFC 9112), as they come in. */
import { type Framing, type Head, readFields, readHead } from './http1-head.ts'

/** Hears what an answer consists of. */
export interface AnswerEvents {
  /** A head; interim ones come before the one that counts. */
  head(head: Head): void
  /** A piece of the body, which is the caller's own memory. */
  body(piece: Buffer): void
  /** The end, with its trailers: names and values in turn. */
  end(trailers: string[]): void
}

/** A head, or all trailers, as Node bounds them. */
const MAX_HEAD_BYTES = 16_384
/** A line with the length of a chunk and its extensions. */
const MAX_SIZE_LINE_BYTES = 1_024

const CRLF = Buffer.from('\r\n')
const EMPTY_LINE = Buffer.from('\r\n\r\n')
const START = Buffer.from('HTTP/1.')
/** RFC 9112 §7.1: digits, then extensions, which nobody reads. */
const SIZE_LINE =
  /^([0-9a-fA-F]{1,13})(?:;[\w!#$%&'*+\-.^`|~]+(?:=(?:[\w!#$%&'*+\-.^`|~]+|"[\t\x20\x21\x23-\x5b\x5d-\x7e]*"))?)*$/

type State =
  /** No answer is due. */
  'idle' | 'head' | 'length' | 'close' | 'size' | 'chunk' | 'chunk-end' | 'trailers'

const NO_BYTES = Buffer.alloc(0)

/** Reads one answer after the other. An answer that cannot be read throws an `Error`, and the rest is lost. */
export class AnswerParser {
  readonly #events: AnswerEvents
  #state: State = 'idle'
  #method = ''
  /** The beginning of a line or head whose end has not come. */
  #kept: Buffer = NO_BYTES
  /** Bytes of the body, or of the chunk, that are to come. */
  #left = 0

  constructor(events: AnswerEvents) {
    this.#events = events
  }

  /** Whether no answer is due or under way. */
  get isIdle(): boolean {
    return this.#state === 'idle'
  }

  /** An answer to `method` is due. */
  expect(method: string): void {
    this.#method = method
    this.#state = 'head'
  }

  /** A body without a head is due. */
  expectBody(framing: Framing): void {
    this.#left = framing.name === 'length' ? framing.bytes : 0
    this.#state = framing.name === 'chunks' ? 'size' : framing.name === 'close' ? 'close' : 'length'
  }

  /** Reads what has come in; what follows an answer is more than was asked for. */
  read(chunk: Buffer): void {
    let bytes = chunk
    if (this.#kept.length > 0) {
      bytes = Buffer.concat([this.#kept, chunk])
      this.#kept = NO_BYTES
    }
    let at = 0
    while (at < bytes.length) {
      const next = this.#step(bytes, at)
      if (next === undefined) {
        // The memory is the caller's.
        this.#kept = Buffer.from(bytes.subarray(at))
        return
      }
      at = next
    }
  }

  /** The connection has ended in order. */
  finish(): void {
    if (this.#state === 'idle') return
    if (this.#state !== 'close') throw new Error('the connection was closed')
    this.#end([])
  }

  /** Reads from `at` on; where the next step begins, or nothing when there is too little for one. */
  #step(bytes: Buffer, at: number): number | undefined {
    switch (this.#state) {
      case 'head':
        return this.#head(bytes, at)
      case 'length':
      case 'chunk':
        return this.#counted(bytes, at)
      case 'close':
        this.#events.body(at === 0 ? bytes : bytes.subarray(at))
        return bytes.length
      case 'size':
        return this.#size(bytes, at)
      case 'chunk-end':
        return this.#chunkEnd(bytes, at)
      case 'trailers':
        return this.#trailers(bytes, at)
      case 'idle':
        throw new Error('there is more than the answer')
    }
  }

  #head(bytes: Buffer, at: number): number | undefined {
    const end = bytes.indexOf(EMPTY_LINE, at)
    const known = Math.min(START.length, bytes.length - at)
    if (START.compare(bytes, at, at + known, 0, known) !== 0) {
      throw new Error('the answer begins with no status line')
    }
    checkLength(end < 0 ? bytes.length - at : end - at, MAX_HEAD_BYTES)
    if (end < 0) return undefined
    const head = readHead(bytes.toString('latin1', at, end + CRLF.length), this.#method)
    if (head.status === 101) throw new Error('the answer changes the protocol')
    if (head.status >= 200) this.expectBody(head.framing)
    this.#events.head(head)
    if (this.#state === 'length' && this.#left === 0) this.#end([])
    return end + EMPTY_LINE.length
  }

  #counted(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.#left)
    this.#left -= end - at
    this.#events.body(at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end))
    if (this.#left === 0) {
      if (this.#state === 'chunk') this.#state = 'chunk-end'
      else this.#end([])
    }
    return end
  }

  #size(bytes: Buffer, at: number): number | undefined {
    const end = bytes.indexOf(CRLF, at)
    checkLength(end < 0 ? bytes.length - at : end - at, MAX_SIZE_LINE_BYTES)
    if (end < 0) return undefined
    const [, digits] = SIZE_LINE.exec(bytes.toString('latin1', at, end)) ?? []
    if (digits === undefined) throw new Error('a chunk of the answer has a length that is none')
    this.#left = Number.parseInt(digits, 16)
    this.#state = this.#left === 0 ? 'trailers' : 'chunk'
    return end + CRLF.length
  }

  #chunkEnd(bytes: Buffer, at: number): number | undefined {
    if (bytes.length - at < CRLF.length) return undefined
    if (CRLF.compare(bytes, at, at + CRLF.length) !== 0) {
      throw new Error('a chunk of the answer is longer than it says')
    }
    this.#state = 'size'
    return at + CRLF.length
  }

  #trailers(bytes: Buffer, at: number): number | undefined {
    if (bytes.length - at < CRLF.length) return undefined
    if (CRLF.compare(bytes, at, at + CRLF.length) === 0) {
      this.#end([])
      return at + CRLF.length
    }
    const end = bytes.indexOf(EMPTY_LINE, at)
    checkLength(end < 0 ? bytes.length - at : end - at, MAX_HEAD_BYTES)
    if (end < 0) return undefined
    this.#end(readFields(bytes.toString('latin1', at, end + CRLF.length)))
    return end + EMPTY_LINE.length
  }

  #end(trailers: string[]): void {
    this.#state = 'idle'
    this.#events.end(trailers)
  }
}

function checkLength(bytes: number, maxBytes: number): void {
  if (bytes > maxBytes) throw new Error(`the answer has ${bytes} bytes where ${maxBytes} may be`)
}
