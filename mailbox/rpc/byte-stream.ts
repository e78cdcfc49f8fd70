import { Duplex } from 'node:stream'
import type { Link } from '../link.ts'
import { MESSAGE_BYTES } from '../http2/limits.ts'

/** Bytes that Node may hold in each direction before it waits for the link or for the reader. */
const BUFFER_BYTES = 256 * 1024

/**
 * `link` as a Node stream of bytes, for grpc-js. What is written in one go leaves in messages of up to
 * 32 KiB; both directions wait for the slower side. Destroying the stream closes the link.
 */
export function byteStream(link: Link): Duplex {
  return new LinkStream(link)
}

class LinkStream extends Duplex {
  readonly #link: Link
  #reading = false

  constructor(link: Link) {
    super({ highWaterMark: BUFFER_BYTES, allowHalfOpen: false })
    this.#link = link
  }

  override _read(): void {
    if (this.#reading) return
    this.#reading = true
    void this.#receive()
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#send([chunk]).then(() => done(), done)
  }

  override _writev(
    chunks: { chunk: Buffer; encoding: string }[],
    done: (error?: Error | null) => void,
  ): void {
    this.#send(chunks.map(({ chunk }) => chunk)).then(() => done(), done)
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#link.close().then(() => done(), done)
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#link.close().then(
      () => done(error),
      () => done(error),
    )
  }

  async #receive(): Promise<void> {
    try {
      for (;;) {
        const message = await this.#link.receive()
        // Node's HTTP/2 stops reading after a fault of the peer and would not notice an end. What it has
        // not read by now could not be answered any more.
        if (!message) return void this.destroy()
        if (!this.push(Buffer.from(message.buffer, message.byteOffset, message.byteLength))) break
      }
      this.#reading = false
    } catch (reason) {
      this.destroy(reason instanceof Error ? reason : new Error(String(reason)))
    }
  }

  async #send(chunks: readonly Buffer[]): Promise<void> {
    for (const message of messagesOf(chunks)) await this.#link.send(message)
  }
}

/** `chunks` as messages of at most `MESSAGE_BYTES`, each with memory of its own. */
function* messagesOf(chunks: readonly Buffer[]): Generator<Uint8Array> {
  let left = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
  let message = new Uint8Array(Math.min(left, MESSAGE_BYTES))
  let filled = 0
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.length;) {
      const bytes = Math.min(chunk.length - at, message.length - filled)
      message.set(chunk.subarray(at, at + bytes), filled)
      at += bytes
      filled += bytes
      left -= bytes
      if (filled < message.length) continue
      yield message
      message = new Uint8Array(Math.min(left, MESSAGE_BYTES))
      filled = 0
    }
  }
}
