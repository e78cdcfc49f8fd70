/** Carries a request to an HTTP/1.1 upstream. */
import type { Clock } from '../../src/base/clock.ts'
import { pumpBody } from './body-pump.ts'
import type { Carrier, Exchange } from './exchange.ts'
import { CONTINUE_AFTER_MS } from './expect.ts'
import { writeBody } from './http1-body.ts'
import type { Carried, Http1Connection } from './http1-connection.ts'
import type { Head } from './http1-head.ts'
import type { Http1Pool } from './http1-pool.ts'
import type { Loan } from './inlet.ts'
import { requestHead } from './http1-request-head.ts'

/** Sends the request of `exchange`; `retry` is called in place of failing when nothing can have happened. */
export function sendHttp1(
  pool: Http1Pool,
  exchange: Exchange,
  clock: Clock,
  retry: () => void,
): void {
  const request = new Http1Request(exchange, clock, retry)
  exchange.carriedBy(request)
  pool.take(
    (connection) => request.begin(connection),
    (reason) => exchange.fail(reason),
  )
}

class Http1Request implements Carrier, Carried {
  readonly #exchange: Exchange
  readonly #clock: Clock
  readonly #retry: () => void
  #connection: Http1Connection | undefined
  #stopPump: (() => void) | undefined
  #cancelContinue: (() => void) | undefined
  #isAnswered = false
  #isDone = false

  constructor(exchange: Exchange, clock: Clock, retry: () => void) {
    this.#exchange = exchange
    this.#clock = clock
    this.#retry = retry
  }

  /** Goes out on a connection that is free. */
  begin(connection: Http1Connection): void {
    // Nobody waits for it any more.
    if (this.#isDone) return connection.giveBack()
    this.#connection = connection
    const { outgoing } = this.#exchange
    try {
      const head = requestHead(outgoing)
      if (!outgoing.hasBody) {
        connection.send(this, outgoing.method, head)
        connection.sent()
        this.#exchange.sent()
        return
      }
      // The head and what there is of the body go out in one.
      connection.socket.cork()
      connection.send(this, outgoing.method, head)
      this.#exchange.sending()
      if (outgoing.expectsContinue) {
        this.#cancelContinue = this.#clock.after(CONTINUE_AFTER_MS, () => this.#pump())
      } else this.#pump()
      process.nextTick(() => connection.socket.uncork())
    } catch (reason) {
      connection.drop()
      this.#finish()
      this.#exchange.fail(reason)
    }
  }

  abort(): void {
    if (this.#isDone) return
    this.#finish()
    this.#connection?.drop()
  }

  resume(): void {
    if (!this.#isDone) this.#connection?.socket.resume()
  }

  head({ status, statusText, raw }: Head): void {
    if (status === 100) return this.#pump()
    if (status < 200) return this.#exchange.info(status, raw)
    // Without a 100 before it the body is not wanted.
    this.#cancelContinue?.()
    this.#isAnswered = true
    this.#exchange.head(status, statusText, raw, false)
  }

  body(piece: Buffer, loan?: Loan): void {
    if (!this.#exchange.data(piece, loan)) this.#connection?.socket.pause()
  }

  end(trailers: string[]): void {
    this.#finish()
    this.#exchange.end(trailers)
  }

  failed(reason: Error): void {
    if (this.#isDone) return
    this.#finish()
    const { hasBody } = this.#exchange.outgoing
    if (!hasBody && !this.#isAnswered && this.#connection?.wasUsed) this.#retry()
    else this.#exchange.fail(reason)
  }

  #pump(): void {
    this.#cancelContinue?.()
    const connection = this.#connection
    const { reply, outgoing } = this.#exchange
    if (this.#isDone || this.#stopPump || !connection || !outgoing.hasBody) return
    const body = writeBody(connection.socket, outgoing, (reason) => connection.break(reason))
    this.#stopPump = pumpBody(reply.body, body, {
      moved: () => this.#exchange.moved(),
      ended: () => {
        if (!reply.isBodyWhole()) return
        connection.sent()
        body.end(outgoing.headers.trailers(reply.requestTrailers()), () => this.#exchange.sent())
      },
    })
  }

  #finish(): void {
    this.#isDone = true
    this.#cancelContinue?.()
    this.#stopPump?.()
  }
}
