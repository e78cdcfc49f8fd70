/** Moves bytes between an HTTP/2 core and the link below it; the link sets the pace. */
import { asPinholeError, type PinholeError } from '../../src/base/errors.ts'
import type { Link } from '../link.ts'
import { Http2Connection, type Http2Options } from '../../src/http2/connection.ts'
import { MESSAGE_BYTES } from '../../src/http2/limits.ts'

/** A connection that runs over a link. */
export interface RunningConnection {
  readonly connection: Http2Connection
  /** Resolves once the connection is over and the link closed: why, or nothing when in order. */
  readonly closed: Promise<PinholeError | undefined>
  /** Ends all streams and closes the link. */
  close(): Promise<void>
}

/** Runs HTTP/2 over `link`: the server's end with `accept`, else the client's. */
export function runHttp2(link: Link, accept?: Http2Options['accept']): RunningConnection {
  const driver = new LinkDriver(link, accept)
  return { connection: driver.connection, closed: driver.closed, close: () => driver.close() }
}

class LinkDriver {
  readonly connection: Http2Connection
  readonly closed: Promise<PinholeError | undefined>
  readonly #link: Link
  #sending: 'idle' | 'scheduled' | 'busy' = 'idle'
  #error: PinholeError | undefined

  constructor(link: Link, accept: Http2Options['accept']) {
    this.#link = link
    const wake = () => this.#wake()
    this.connection = new Http2Connection(accept ? { accept, wake } : { wake })
    this.closed = this.#run()
    this.#wake()
  }

  async close(): Promise<void> {
    this.connection.end()
    await this.#shut()
  }

  /** The end of the tick sends what the tick has written, in one message. */
  #wake(): void {
    if (this.#sending !== 'idle') return
    this.#sending = 'scheduled'
    queueMicrotask(() => void this.#sendAll())
  }

  async #sendAll(): Promise<void> {
    this.#sending = 'busy'
    try {
      for (let message = this.#take(); message; message = this.#take()) {
        await this.#link.send(message)
      }
    } catch (reason) {
      // GOAWAY that finds the link closed is no fault.
      if (!this.connection.done) this.#end(reason)
    }
    this.#sending = 'idle'
    if (this.connection.done) await this.#shut()
  }

  async #run(): Promise<PinholeError | undefined> {
    try {
      for (
        let message = await this.#link.receive();
        message;
        message = await this.#link.receive()
      ) {
        this.connection.receive(message)
        if (this.connection.done) this.#wake()
      }
      this.connection.end()
    } catch (reason) {
      this.#end(reason)
    }
    await this.#shut()
    return this.#error
  }

  #take(): Uint8Array | undefined {
    return this.connection.take(MESSAGE_BYTES)
  }

  #end(reason: unknown): void {
    this.#error ??= asPinholeError(reason, 'ERR_LINK_CLOSED')
    this.connection.end(this.#error)
  }

  /** Hands down what is left, GOAWAY at the end of it, without waiting for room. */
  async #shut(): Promise<void> {
    for (let message = this.#take(); message; message = this.#take()) {
      this.#link.send(message).catch(() => {})
    }
    await this.#link.close().catch(() => {})
  }
}
