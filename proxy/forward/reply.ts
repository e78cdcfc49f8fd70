/** The client's end of a forwarded request, alike for HTTP/1.1 and HTTP/2. */
import type { Readable, Writable } from 'node:stream'
import type { Loan } from './inlet.ts'
import type { ResponseHead } from './response-head.ts'

/** The first piece of a body goes out with the head over HTTP/1.1; a larger one gains nothing by that. */
export const MAX_HELD_BYTES = 16_384

/** Writes an answer to the client. */
export interface Reply {
  /** The request's body. */
  readonly body: Readable
  /** What takes the answer's body; emits `drain` and `close`. */
  readonly sink: Writable
  /** Whether the head of the answer is out. */
  readonly started: boolean
  /** Bytes that the client has not taken yet. */
  readonly backlog: number
  /** Whether a body that has ended did so by the client's will, and not because the client is gone. */
  isBodyWhole(): boolean
  /** Trailers of the request, once its body has ended: names and values in turn. */
  requestTrailers(): readonly string[]
  /** An interim answer: 102, 103, or any but 100 and 101. */
  info(status: number, fields: readonly string[]): void
  /** The head; `ended` when nothing follows. Throws when a field cannot be sent. */
  head(head: ResponseHead, ended: boolean): void
  /** A piece of the body, held for as long as it is needed if it is lent; false asks to wait for `drain`. */
  write(chunk: Buffer, loan?: Loan): boolean
  end(trailers: readonly string[]): void
  /** Breaks the answer off, so that it cannot be taken for complete. */
  cut(): void
  /** Calls `listener` once, when the client has everything or is gone. */
  onClose(listener: (complete: boolean) => void): void
}
