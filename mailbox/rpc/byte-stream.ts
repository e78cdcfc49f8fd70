import { Duplex } from 'node:stream'
import type { Link } from '../link.ts'
import { MESSAGE_BYTES } from '../../src/http2/limits.ts'
import { ByteQueue } from '../noise/byte-queue.ts'

/** Bytes that Node may hold in each direction before it waits for the link or for the reader. */
const BUFFER_BYTES = 256 * 1024

/**
 * `link` as a Node stream of bytes, for grpc-js. What is written while the link is busy leaves in messages
 * of up to 32 KiB, however small Node's HTTP/2 cut it: the link has room for so many messages, not bytes.
 * Both directions wait for the slower side. Destroying the stream closes the link.
 */
export function byteStream(link: Link): Duplex {
  return new LinkStream(link)
}

type Done = (error?: Error | null) => void

class LinkStream extends Duplex {
  readonly #link: Link
  readonly #waiting = new ByteQueue()
  #sending = false
  /** Lets the writer go on. */
  #resume: Done | undefined
  /** What follows once nothing waits any more. */
  #flushed: (() => void) | undefined
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

  override _write(chunk: Buffer, _encoding: string, done: Done): void {
    this.#add([chunk], done)
  }

  override _writev(chunks: { chunk: Buffer; encoding: string }[], done: Done): void {
    this.#add(
      chunks.map(({ chunk }) => chunk),
      done,
    )
  }

  override _final(done: Done): void {
    this.#flushed = () => void this.#link.close().then(() => done(), done)
    if (!this.#sending) this.#flushed()
  }

  override _destroy(error: Error | null, done: Done): void {
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

  /** Takes `chunks`; the writer may go on at once while less than `BUFFER_BYTES` wait for the link. */
  #add(chunks: readonly Buffer[], done: Done): void {
    for (const chunk of chunks) this.#waiting.push(chunk)
    if (this.#waiting.length < BUFFER_BYTES) done()
    else this.#resume = done
    if (!this.#sending) void this.#send()
  }

  async #send(): Promise<void> {
    this.#sending = true
    try {
      // The writer's turn ends first, so that its small writes leave together.
      await Promise.resolve()
      while (this.#waiting.length > 0) {
        const message = this.#waiting.take(Math.min(this.#waiting.length, MESSAGE_BYTES))
        if (message) await this.#link.send(message)
        if (this.#waiting.length < BUFFER_BYTES) this.#goOn()
      }
      this.#flushed?.()
    } catch (reason) {
      this.destroy(reason instanceof Error ? reason : new Error(String(reason)))
    } finally {
      this.#sending = false
    }
  }

  #goOn(): void {
    const resume = this.#resume
    this.#resume = undefined
    resume?.()
  }
}
