/** Carries a request without a body to an HTTP/1.1 upstream, by undici. */
import type { Dispatcher } from 'undici'
import type { Carrier, Exchange } from './exchange.ts'
import { fromBuffers } from './fields.ts'
import { type Http1Pool, wasUsed } from './http1-pool.ts'

/** Sends the request of `exchange`; `retry` is called in place of failing when nothing can have happened. */
export function sendBodiless(pool: Http1Pool, exchange: Exchange, retry: () => void): void {
  const { method, path, host, fields } = exchange.outgoing
  const headers = host === pool.impliedHost ? fields : ['Host', host, ...fields]
  const handler = new BodilessRequest(exchange, retry)
  pool.dispatcher.dispatch({ method, path, headers }, handler)
}

/**
 * undici's first handler interface: the newer one is built on top of it and makes objects of headers that
 * are wanted as a list.
 */
class BodilessRequest implements Dispatcher.DispatchHandler, Carrier {
  readonly #exchange: Exchange
  readonly #retry: () => void
  #abort: ((reason?: Error) => void) | undefined
  #resume: (() => void) | undefined
  #isAborted = false
  #isAnswered = false
  #isDone = false

  constructor(exchange: Exchange, retry: () => void) {
    this.#exchange = exchange
    this.#retry = retry
    exchange.carriedBy(this)
  }

  abort(): void {
    if (this.#isDone) return
    this.#isAborted = true
    this.#abort?.()
  }

  resume(): void {
    this.#resume?.()
  }

  onConnect(abort: (reason?: Error) => void): void {
    this.#abort = abort
    if (this.#isAborted) abort()
  }

  onRequestSent(): void {
    this.#exchange.sent()
  }

  onResponseStarted(): void {
    this.#isAnswered = true
  }

  onHeaders(status: number, raw: Buffer[], resume: () => void, statusText: string): boolean {
    const fields = fromBuffers(raw)
    if (status < 200) {
      this.#exchange.info(status, fields)
      return true
    }
    this.#resume = resume
    this.#exchange.head(status, statusText, fields, false)
    return true
  }

  onData(chunk: Buffer): boolean {
    return this.#exchange.data(chunk)
  }

  onComplete(trailers: string[] | Buffer[] | null): void {
    this.#isDone = true
    const raw = trailers ?? []
    this.#exchange.end(
      raw.map((text) => (typeof text === 'string' ? text : text.toString('latin1'))),
    )
  }

  onError(reason: Error): void {
    this.#isDone = true
    if (!this.#isAborted && !this.#isAnswered && wasUsed(reason)) this.#retry()
    else this.#exchange.fail(reason)
  }
}
