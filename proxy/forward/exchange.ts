/**
 * One forwarded request, between the client's end (`Reply`) and the connection that carries it upstream
 * (`Carrier`). Whatever happens at either end is told here, once, and passed to the other:
 *
 *     connecting ─► sending ─► waiting ─► answering ─► draining ─► over
 *         └───────────┴───────────┴───────────┴── fail, client gone ──┘
 */
import type { UpstreamTimeouts } from '../service.ts'
import { answerError } from './answer-error.ts'
import type { Watched } from './deadlines.ts'
import type { Loan } from './inlet.ts'
import type { Outcome } from './passage.ts'
import type { Reply } from './reply.ts'
import type { RequestHeaders } from './request-headers.ts'
import { passedOn, responseHead } from './response-head.ts'
import { type Stage, upstreamError, upstreamTimeout } from './upstream-error.ts'

/** The upstream's end of one request. */
export interface Carrier {
  /** Goes on after `data` or `head` returned false. */
  resume(): void
  /** Drops the request: the upstream sees its stream or connection break. */
  abort(): void
}

/** What is sent upstream. */
export interface Outgoing {
  readonly method: string
  /** Request target, as it stands in the request line. */
  readonly path: string
  readonly host: string
  /** Names and values in turn, without `Host` and framing. */
  readonly fields: string[]
  /** Says which trailers go on, once they are known. */
  readonly headers: Pick<RequestHeaders, 'trailers'>
  readonly hasBody: boolean
  /** `Content-Length`, if the body has one. */
  readonly length: string | undefined
  /** Announced trailers. */
  readonly trailer: string | undefined
  /** Whether the client waits for 100 (RFC 9110 §10.1.1). */
  readonly expectsContinue: boolean
  readonly isGrpc: boolean
  /** Whether its answer is what others have to pay for. */
  readonly isSold: boolean
}

/** Limits of one exchange, in milliseconds; 0 is for ever. */
export interface ExchangeLimits {
  readonly upstream: UpstreamTimeouts
  readonly writeMs: number
}

/** Characters of interim answers that one request passes on: nothing holds them back for a client that does not read. */
const MAX_INTERIM_CHARS = 65_536
/** What one costs beside its fields. */
const INTERIM_CHARS = 32

type Phase = 'connecting' | 'sending' | 'waiting' | 'answering' | 'draining' | 'over'

const STAGES: Readonly<Record<Phase, Stage>> = {
  connecting: 'connecting',
  sending: 'waiting',
  waiting: 'waiting',
  answering: 'answering',
  draining: 'answering',
  over: 'answering',
}

export class Exchange implements Watched {
  readonly reply: Reply
  readonly outgoing: Outgoing
  /** How often it was sent. */
  attempts = 0
  before: Watched | undefined
  after: Watched | undefined
  readonly #service: string
  readonly #limits: ExchangeLimits
  readonly #settle: (outcome: Outcome) => void
  #phase: Phase = 'connecting'
  #carrier: Carrier | undefined
  #outcome: Outcome = { name: 'abandoned' }
  #status = 0
  #grpc: readonly string[] = []
  #interimChars = 0
  /** Whether anything moved since the last sweep, and when something last had by then. */
  #moved = true
  #stillSinceMs = 0
  /** Whether the client is what everything waits for. */
  #stalled = false

  constructor(
    reply: Reply,
    outgoing: Outgoing,
    service: string,
    limits: ExchangeLimits,
    settle: (outcome: Outcome) => void,
  ) {
    this.reply = reply
    this.outgoing = outgoing
    this.#service = service
    this.#limits = limits
    this.#settle = settle
    reply.onClose((complete) => this.#closed(complete))
  }

  /** Whether nobody waits for the upstream any more. */
  get isOver(): boolean {
    return this.#phase === 'over' || this.#phase === 'draining'
  }

  /** Names what carries the request now. */
  carriedBy(carrier: Carrier): void {
    this.#carrier = carrier
    if (this.isOver) carrier.abort()
  }

  /** The head of the request is out and its body follows. */
  sending(): void {
    this.#enter('connecting', 'sending')
  }

  /** The request is out. */
  sent(): void {
    this.#enter('connecting', 'waiting')
    this.#enter('sending', 'waiting')
  }

  /** Something of either body moved. */
  moved(): void {
    this.#moved = true
  }

  /** An interim answer other than 100. */
  info(status: number, raw: readonly string[]): void {
    this.#moved = true
    if (this.isOver || status === 100 || status === 101) return
    const fields = passedOn(raw)
    this.#interimChars += fields.reduce((sum, text) => sum + text.length, INTERIM_CHARS)
    if (this.#interimChars <= MAX_INTERIM_CHARS) this.reply.info(status, fields)
  }

  /** The upstream's status and headers; `ended` when no body and no trailers follow. */
  head(status: number, statusText: string, raw: readonly string[], ended: boolean): void {
    if (this.isOver) return
    this.#phase = 'answering'
    this.#moved = true
    this.#status = status
    const head = responseHead(status, statusText, raw, this.outgoing.isSold)
    this.#grpc = head.grpc ?? []
    try {
      this.reply.head(head, ended)
    } catch (reason) {
      this.fail(reason)
    }
  }

  /** A piece of the answer's body, in lent memory perhaps; false asks to wait for `resume`. */
  data(chunk: Buffer, loan?: Loan): boolean {
    if (this.isOver) return true
    this.#moved = true
    if (this.reply.write(chunk, loan)) return true
    if (!this.#stalled) {
      this.#stalled = true
      this.reply.sink.once('drain', () => {
        this.#stalled = false
        this.#moved = true
        this.#carrier?.resume()
      })
    }
    return false
  }

  /** The answer's end, with its trailers. */
  end(raw: readonly string[]): void {
    if (this.isOver) return
    this.#phase = 'draining'
    this.#moved = true
    this.#outcome = { name: 'served', status: this.#status }
    // A server that puts the status among the headers and sends a body all the same: clients look for
    // it in the trailers.
    const trailers = passedOn(raw)
    this.reply.end(trailers.length > 0 ? trailers : this.#grpc)
  }

  /** The upstream failed. */
  fail(reason: unknown): void {
    if (this.isOver) return
    const error = upstreamError(this.#service, reason, STAGES[this.#phase])
    const { started } = this.reply
    this.#outcome = { name: 'failed', error, started }
    this.#phase = 'draining'
    this.#moved = true
    this.#carrier?.abort()
    if (started) this.reply.cut()
    else answerError(this.reply, error, this.outgoing)
  }

  /** Whoever calls takes over both ends: the protocol has changed. */
  leave(): void {
    this.#phase = 'over'
  }

  check(nowMs: number): void {
    if (this.#moved) {
      this.#moved = false
      this.#stillSinceMs = nowMs
      return
    }
    const stillMs = nowMs - this.#stillSinceMs
    const limitMs = this.#limitMs()
    if (limitMs > 0 && stillMs >= limitMs) this.#timeOut(limitMs)
  }

  #limitMs(): number {
    const { upstream, writeMs } = this.#limits
    switch (this.#phase) {
      case 'sending':
        return upstream.bodyMs
      case 'waiting':
        return upstream.headerMs
      case 'answering':
        return this.#stalled ? writeMs : upstream.bodyMs
      case 'draining':
        return this.reply.backlog > 0 ? writeMs : 0
      // Whoever dials has a limit of its own, and what is over waits for nothing.
      case 'connecting':
      case 'over':
        return 0
    }
  }

  #timeOut(limitMs: number): void {
    if (this.#phase === 'draining' || this.#stalled) {
      this.#outcome = { name: 'abandoned' }
      this.reply.cut()
      return
    }
    const what = this.#phase === 'waiting' ? 'did not answer' : 'moved nothing of a body'
    this.fail(upstreamTimeout(this.#service, `${what} for ${limitMs} ms`))
  }

  #enter(from: Phase, to: Phase): void {
    if (this.#phase !== from) return
    this.#phase = to
    this.#moved = true
  }

  #closed(complete: boolean): void {
    if (this.#phase === 'over') return
    this.#phase = 'over'
    this.#carrier?.abort()
    if (this.#outcome.name === 'served' && !complete) this.#outcome = { name: 'abandoned' }
    this.#settle(this.#outcome)
  }
}
