/** The spans of one request at the paywall: the request, and below it gate, pay and forward. */
import {
  type Context,
  context,
  defaultTextMapGetter,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TextMapPropagator,
  trace,
  type Tracer,
} from '@opentelemetry/api'
import type { Outcome } from '../../proxy/forward/passage.ts'
import type { Counted } from '../../proxy/meter.ts'
import type { Request } from '../../proxy/target.ts'
import type { Ended, Trace } from '../../proxy/tracing.ts'
import { pathOf } from '../access-log.ts'
import { plainAddress } from '../listener/network.ts'
import { failSpan, quietly } from './span.ts'
import { TraceContext } from './w3c.ts'

const FIRST_SERVER_ERROR = 500
const OWN_PROPAGATOR = new TraceContext()

/** What reads and writes headers: the one that was registered, W3C's without one. */
const propagator = (): Pick<TextMapPropagator, 'extract' | 'inject' | 'fields'> =>
  propagation.fields().length > 0 ? propagation : OWN_PROPAGATOR

type Stage = Parameters<Trace['stage']>[0]

/** Follows one request. */
export class RequestTrace implements Trace {
  readonly #tracer: Tracer
  readonly #method: string
  readonly #span: Span | undefined
  readonly #whole: Context
  /** Where the stage that runs stands. */
  #current: Context
  #over = false

  constructor(tracer: Tracer, req: Request, id: string) {
    this.#tracer = tracer
    this.#method = req.method ?? ''
    const { headers } = req
    const given = quietly(() => propagator().extract(ROOT_CONTEXT, headers, defaultTextMapGetter))
    const parent = given ?? ROOT_CONTEXT
    const attributes = {
      'http.request.method': this.#method,
      'url.path': pathOf(req.url ?? ''),
      'network.protocol.version': req.httpVersion,
      'network.peer.address': plainAddress(req.socket.remoteAddress ?? ''),
      'pinhole.request_id': id,
    }
    const options = { kind: SpanKind.SERVER, attributes }
    const span = quietly(() => tracer.startSpan(this.#method, options, parent))
    this.#span = span
    this.#whole = span ? trace.setSpan(parent, span) : parent
    this.#current = this.#whole
  }

  stage<T>(name: Stage, run: () => T): T {
    const kind = name === 'forward' ? SpanKind.CLIENT : SpanKind.INTERNAL
    const span = quietly(() => this.#tracer.startSpan(name, { kind }, this.#whole))
    if (!span) return run()
    this.#current = trace.setSpan(this.#whole, span)
    try {
      const result = context.with(this.#current, run)
      if (result instanceof Promise) follow(span, result)
      else quietly(() => span.end())
      return result
    } catch (error) {
      failSpan(span, error)
      quietly(() => span.end())
      throw error
    } finally {
      this.#current = this.#whole
    }
  }

  onward(fields: string[]): void {
    quietly(() => {
      const carrier: Record<string, string> = {}
      const names = new Set(propagator().fields())
      propagator().inject(this.#current, carrier, {
        set(_, name, value) {
          carrier[name.toLowerCase()] = value
        },
      })
      if (Object.keys(carrier).length === 0) return
      for (let i = fields.length - 2; i >= 0; i -= 2) {
        if (names.has((fields[i] ?? '').toLowerCase())) fields.splice(i, 2)
      }
      fields.push(...Object.entries(carrier).flat())
    })
  }

  decided(service: string, outcome: Counted): void {
    quietly(() => {
      if (service !== '') this.#span?.updateName(`${this.#method} ${service}`)
      this.#span?.setAttributes({ 'pinhole.service': service, 'pinhole.outcome': outcome })
    })
  }

  end(how: Ended): void {
    const span = this.#span
    if (this.#over || !span) return
    this.#over = true
    quietly(() => {
      if (how.name === 'failed' || how.name === 'broken') failSpan(span, how.error)
      else if (how.name === 'abandoned') span.setAttribute('pinhole.client_gone', true)
      else {
        span.setAttribute('http.response.status_code', how.status)
        if (how.status >= FIRST_SERVER_ERROR) span.setStatus({ code: SpanStatusCode.ERROR })
      }
    })
    quietly(() => span.end())
  }
}

function follow(span: Span, result: Promise<unknown>): void {
  result.then(
    (value) => {
      if (isFailure(value)) failSpan(span, value.error)
      quietly(() => span.end())
    },
    (error: unknown) => {
      failSpan(span, error)
      quietly(() => span.end())
    },
  )
}

/** Whether a stage says by what it resolves to that it has failed. */
const isFailure = (value: unknown): value is Extract<Outcome, { name: 'failed' }> =>
  typeof value === 'object' && value !== null && 'name' in value && value.name === 'failed'
