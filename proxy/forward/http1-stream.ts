/** Carries a request with a body, with `Expect`, or of the kind HEAD to an HTTP/1.1 upstream, by Node's client. */
import http, { type ClientRequest, type IncomingMessage } from 'node:http'
import type { Clock } from '../../src/base/clock.ts'
import { pumpBody } from './body-pump.ts'
import { CONTINUE_AFTER_MS } from './expect.ts'
import type { Carrier, Exchange, Outgoing } from './exchange.ts'
import { type Http1Pool, wasUsed } from './http1-pool.ts'

/** Sends the request of `exchange`; `retry` is called in place of failing when nothing can have happened. */
export function sendStreaming(
  pool: Http1Pool,
  exchange: Exchange,
  clock: Clock,
  retry: () => void,
): void {
  new StreamingRequest(pool, exchange, clock, retry)
}

/** Head of the request, framed in one way: by its length, or else in chunks. */
export function framedFields(outgoing: Outgoing): string[] {
  const fields = ['Host', outgoing.host, ...outgoing.fields]
  if (outgoing.expectsContinue) fields.push('Expect', '100-continue')
  if (!outgoing.hasBody) {
    if (outgoing.length !== undefined) fields.push('Content-Length', '0')
    return fields
  }
  if (outgoing.length !== undefined) return [...fields, 'Content-Length', outgoing.length]
  fields.push('Transfer-Encoding', 'chunked')
  if (outgoing.trailer !== undefined) fields.push('Trailer', outgoing.trailer)
  return fields
}

class StreamingRequest implements Carrier {
  readonly #exchange: Exchange
  readonly #clock: Clock
  readonly #retry: () => void
  readonly #request: ClientRequest
  #answer: IncomingMessage | undefined
  #stopPump = () => {}
  #cancelContinue = () => {}
  #isPumping = false
  #isDone = false

  constructor(pool: Http1Pool, exchange: Exchange, clock: Clock, retry: () => void) {
    this.#exchange = exchange
    this.#clock = clock
    this.#retry = retry
    const { outgoing } = exchange
    this.#request = http.request({
      agent: pool.agent,
      method: outgoing.method,
      path: outgoing.path,
      headers: framedFields(outgoing),
      setHost: false,
    })
    this.#request
      .once('socket', () => this.#connected())
      .on('information', (info) => exchange.info(info.statusCode, info.rawHeaders))
      .on('continue', () => this.#pump())
      .once('response', (answer) => this.#answered(answer))
      .on('error', (reason) => this.#failed(reason))
      // As after a 101 that nobody asked for.
      .once('close', () => {
        if (!this.#answer) this.#failed(new Error('the connection was closed'))
      })
    if (outgoing.hasBody) this.#request.flushHeaders()
    else this.#request.end(() => exchange.sent())
    exchange.carriedBy(this)
  }

  abort(): void {
    if (this.#isDone) return
    this.#finish()
    this.#request.destroy()
  }

  resume(): void {
    this.#answer?.resume()
  }

  #connected(): void {
    const { hasBody, expectsContinue } = this.#exchange.outgoing
    this.#exchange.sending()
    if (expectsContinue) {
      this.#cancelContinue = this.#clock.after(CONTINUE_AFTER_MS, () => this.#pump())
    } else if (hasBody) this.#pump()
  }

  #pump(): void {
    this.#cancelContinue()
    if (this.#isDone || this.#isPumping || !this.#exchange.outgoing.hasBody) return
    this.#isPumping = true
    const { reply, outgoing } = this.#exchange
    this.#stopPump = pumpBody(reply.body, this.#request, {
      moved: () => this.#exchange.moved(),
      ended: () => {
        if (!reply.isBodyWhole()) return
        if (outgoing.length === undefined) this.#addTrailers(reply.requestTrailers())
        this.#request.end(() => this.#exchange.sent())
      },
    })
  }

  #addTrailers(raw: readonly string[]): void {
    const pairs: [string, string][] = []
    for (let i = 0; i + 1 < raw.length; i += 2) pairs.push([raw[i] ?? '', raw[i + 1] ?? ''])
    if (pairs.length > 0) this.#request.addTrailers(pairs)
  }

  #answered(answer: IncomingMessage): void {
    // A final answer without a 100 before it: the body is not wanted.
    this.#cancelContinue()
    this.#answer = answer
    const exchange = this.#exchange
    exchange.head(answer.statusCode ?? 502, answer.statusMessage ?? '', answer.rawHeaders, false)
    answer
      .on('data', (chunk: Buffer) => {
        if (!exchange.data(chunk)) answer.pause()
      })
      .once('end', () => {
        if (this.#isDone) return
        this.#finish()
        // What the upstream does not want of the body is not sent, and the connection has no other use.
        if (!this.#request.writableEnded) this.#request.destroy()
        exchange.end(answer.rawTrailers)
      })
      .on('error', (reason) => this.#failed(reason))
  }

  #failed(reason: Error): void {
    if (this.#isDone) return
    this.#finish()
    const { hasBody } = this.#exchange.outgoing
    if (!hasBody && !this.#answer && wasUsed(reason)) this.#retry()
    else this.#exchange.fail(reason)
  }

  #finish(): void {
    this.#isDone = true
    this.#cancelContinue()
    if (this.#isPumping) this.#stopPump()
  }
}
