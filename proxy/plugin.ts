/**
 * The paywall as a Fastify plugin. Every request that no other route takes, and every upgrade that nobody
 * else answers, goes one way; below each stage are the answers by which it may end there:
 *
 *     route ──► gate ──► price ──► pay ──► forward ──► upstream
 *     403       401      500       402     502
 *     400       429                429     504
 *     404                          500
 *     preflight                    503
 *
 * Bodies are left as streams; nothing here reads them.
 */
import { type IncomingMessage, METHODS, type ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { Duplex } from 'node:stream'
import type { FastifyPluginAsync, onRequestHookHandler } from 'fastify'
import { type Clock, systemClock } from '../src/base/clock.ts'
import { type Log, silentLog } from '../src/base/log.ts'
import {
  type Answer,
  INTERNAL_ERROR,
  NO_UPGRADE,
  PRICE_FAILED,
  type Refusal,
  refuse,
} from './answer.ts'
import { paymentRequired } from './answer-payment.ts'
import { type Arrival, arrive, cameByTls } from './arrival.ts'
import type { PlainReply } from './fast-path/reply.ts'
import type { PlainRequest } from './fast-path/request.ts'
import { Forwarder, replyTo } from './forward/forward.ts'
import type { Outcome, Passage } from './forward/passage.ts'
import { type Entry, Gate, type Visit } from './gate.ts'
import { isOpenPath } from './match.ts'
import { type Counted, Meter, NO_SERVICE } from './meter.ts'
import { registerMeter } from './meter-metrics.ts'
import { checkPaywall, type PaywallOptions } from './options.ts'
import { showsL402 } from './l402/authorization.ts'
import { payRoute } from './page/pay-route.ts'
import { pay } from './pay.ts'
import { priceOf } from './price.ts'
import { fixedPricer, type Pricer } from './pricer.ts'
import { RememberedTokens, type Token } from './remembered.ts'
import { isPreflight, type Route, type Routed, route, type Snapshot } from './route.ts'
import { send, sendOnSocket } from './send.ts'
import type { Request } from './target.ts'
import type { Trace } from './tracing.ts'

/** Fastify plugin that sells what is behind the services of its snapshots. */
export const paywall: FastifyPluginAsync<PaywallOptions> = async (app, options) => {
  checkPaywall(options)
  const hall = new Paywall(options)
  await app.register(async (page) => {
    options.aroundPage?.(page)
    payRoute(page, { ...hall.deps, secure: ({ raw }) => hall.cameByTls(raw) })
  })
  for (const method of METHODS) {
    if (!app.supportedMethods.includes(method)) app.addHttpMethod(method, { hasBody: true })
  }
  // Taken over before Fastify would read the body, or judge its type.
  const takeOver: onRequestHookHandler = ({ raw, id }, reply) => {
    reply.hijack()
    hall.request(raw, reply.raw, id)
  }
  app.all('*', { onRequest: takeOver }, () => {})
  options.fastPath?.serve(hall.plain)
  const { server } = app
  server.on('upgrade', hall.upgrade)
  app.addHook('onClose', async () => {
    server.off('upgrade', hall.upgrade)
    hall.close()
  })
}

/** Of a request that goes on to its service. */
type Passing = Routed & { readonly token: Token | undefined }

/** What is done with a request. */
type Decision =
  | (Passing & { readonly name: 'pass' })
  | { readonly name: 'refused'; readonly refusal: Refusal }
  | { readonly name: 'answer'; readonly outcome: Counted; readonly answer: Answer }

/** The things that can be done, by request or by upgrade. */
interface Way {
  /** The request's own in the logs. */
  readonly id: string
  answer(answer: Answer): void
  /** Answers what is for no service. */
  unmatched(answer: Answer): void
  forward(passage: Passage): Promise<Outcome>
  /** Whether it may last for as long as both ends wish: how long it did then says nothing. */
  readonly upgrades: boolean
  /** Breaks the connection off, or its stream. */
  breakOff(): void
}

class Paywall {
  readonly deps: PaywallOptions & { readonly clock: Clock; readonly log: Log }
  readonly #pricer: Pricer
  readonly #gate: Gate
  readonly #forwarder: Forwarder
  readonly #meter = new Meter()
  readonly #remembered: RememberedTokens
  #snapshot: Snapshot | undefined

  constructor(options: PaywallOptions) {
    const { clock = systemClock, log = silentLog, pricer = fixedPricer } = options
    this.deps = { ...options, clock, log }
    this.#pricer = pricer
    this.#remembered = new RememberedTokens(options.rememberedTokens, options.tokens)
    this.#gate = new Gate({ ...options, remembered: this.#remembered, meter: this.#meter })
    this.#forwarder = new Forwarder({ clock, log, writeTimeoutMs: options.writeTimeoutMs ?? 0 })
    if (options.registry) registerMeter(this.#meter, options.registry)
  }

  /** The one way. The rest is how requests come onto it and leave it. Waits for nothing that costs nothing. */
  #decide(arrival: Arrival, routed: Route, snapshot: Snapshot): Decision | Promise<Decision> {
    if (routed.name !== 'service') return routed
    const { service, target } = routed
    const { req, address, wallMs, nowMs } = arrival
    const strict = snapshot.strictVerify
    const visit = { service, target, req, address, wallMs, nowMs, strict }
    const entry = arrival.trace
      ? arrival.trace.stage('gate', () => this.#enter(visit, req))
      : this.#enter(visit, req)
    const proceed = (decided: Entry) => this.#proceed(arrival, routed, decided, snapshot)
    return entry instanceof Promise ? entry.then(proceed) : proceed(entry)
  }

  #enter(visit: Visit, req: Request): Entry | Promise<Entry> {
    return isPreflight(req) ? this.#gate.pass(visit) : this.#gate.enter(visit)
  }

  #proceed(
    arrival: Arrival,
    routed: Routed,
    entry: Entry,
    snapshot: Snapshot,
  ): Decision | Promise<Decision> {
    if (entry.name === 'refused') return entry
    if (entry.name === 'unpaid') return this.#sell(arrival, routed, snapshot)
    const { service, target } = routed
    return {
      name: 'pass',
      service,
      target,
      token: entry.name === 'granted' ? entry.token : undefined,
    }
  }

  async #sell(arrival: Arrival, routed: Routed, snapshot: Snapshot): Promise<Decision> {
    const { service, target } = routed
    const priceMsat = await priceOf(this.#pricer, routed, this.deps.log)
    if (priceMsat === undefined) return { name: 'refused', refusal: PRICE_FAILED }
    if (priceMsat === 0n) return { name: 'pass', service, target, token: undefined }
    const { address, id, trace } = arrival
    const sale = () => pay({ service, priceMsat, address, id }, this.deps)
    const payment = await (trace ? trace.stage('pay', sale) : sale())
    if (payment.name === 'refused') return payment
    const { challengeLayout: layout, strict401 } = snapshot
    const status = strict401 && showsL402(arrival.req.rawHeaders) ? 401 : 402
    const manner = { layout, status } as const
    const answer = await paymentRequired(payment.offer, arrival.asked, target.url, manner)
    return { name: 'answer', outcome: 'unpaid', answer }
  }

  request(
    req: IncomingMessage | Http2ServerRequest,
    res: ServerResponse | Http2ServerResponse,
    id: string,
  ): void {
    this.#serve(req, {
      id,
      answer: (answer) => send(res, answer),
      unmatched: (answer) =>
        this.deps.unmatched ? this.deps.unmatched(req, res) : send(res, answer),
      forward: (passage) => this.#forwarder.request(req, replyTo(req, res), passage),
      upgrades: false,
      breakOff: () => res.destroy(),
    })
  }

  /** A request of the fast path; false, and nothing was done, for one that another answers. */
  readonly plain = (req: PlainRequest, reply: PlainReply): boolean => {
    const { unmatched } = this.deps
    if (unmatched && !this.#isForService(req)) return false
    const id = this.deps.requestId?.(req) ?? ''
    this.deps.onFastPath?.(req, reply, id)
    this.#serve(req, {
      id,
      answer: (answer) => reply.answer(answer),
      unmatched: (answer) => reply.answer(answer),
      forward: (passage) => this.#forwarder.request(req, reply, passage),
      upgrades: false,
      breakOff: () => reply.cut(),
    })
    return true
  }

  readonly upgrade = (req: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const [path = ''] = (req.url ?? '').split('?')
    if (this.deps.ownPaths?.(path)) return
    // The hub's credentials come there, and are for no upstream.
    if (this.deps.isOwnRoute?.(path)) return sendOnSocket(socket, NO_UPGRADE, false)
    this.#serve(req, {
      id: this.deps.requestId?.(req) ?? '',
      answer: (answer) => sendOnSocket(socket, answer, req.method === 'HEAD'),
      unmatched: (answer) => sendOnSocket(socket, answer, req.method === 'HEAD'),
      forward: (passage) => this.#forwarder.upgrade(req, socket, head, passage),
      upgrades: true,
      breakOff: () => socket.destroy(),
    })
  }

  #isForService(req: Request): boolean {
    const snapshot = this.#current()
    return route(arrive(req, snapshot.trusted, this.deps.clock), snapshot).name === 'service'
  }

  cameByTls(req: Request): boolean {
    return cameByTls(arrive(req, this.deps.snapshot().trusted, this.deps.clock))
  }

  close(): void {
    this.#remembered.close()
    this.#forwarder.close()
  }

  /** Never throws: whatever goes wrong with one request ends that one only. */
  #serve(req: Request, way: Way): void {
    let trace: Trace | undefined
    const breakOff = (error: unknown) => this.#breakOff(error, way, trace)
    try {
      trace = this.deps.tracing?.begin(req, way.id)
      const snapshot = this.#current()
      const arrival = arrive(req, snapshot.trusted, this.deps.clock, way.id, trace)
      const routed = route(arrival, snapshot)
      const service = routed.name === 'service' ? routed.service.name : NO_SERVICE
      const decision = this.#decideSafely(arrival, routed, snapshot)
      if (decision instanceof Promise) {
        decision.then((late) => this.#carryOut(arrival, service, late, way)).catch(breakOff)
      } else this.#carryOut(arrival, service, decision, way)
    } catch (error) {
      breakOff(error)
    }
  }

  #decideSafely(arrival: Arrival, routed: Route, snapshot: Snapshot): Decision | Promise<Decision> {
    const undecided = (error: unknown): Decision => {
      this.deps.log.error({ id: arrival.id, error }, 'a request could not be decided on')
      return { name: 'refused', refusal: INTERNAL_ERROR }
    }
    try {
      const decision = this.#decide(arrival, routed, snapshot)
      return decision instanceof Promise ? decision.catch(undecided) : decision
    } catch (error) {
      return undecided(error)
    }
  }

  #carryOut(arrival: Arrival, service: string, decision: Decision, way: Way): void {
    const outcome = outcomeOf(decision)
    this.#count(arrival, service, outcome)
    if (decision.name === 'pass') return this.#forward(arrival, decision, outcome, way)
    const answer =
      decision.name === 'answer' ? decision.answer : refuse(decision.refusal, arrival.asked)
    if (outcome === 'no_service') way.unmatched(answer)
    else way.answer(answer)
    const seconds = (this.deps.clock.now() - arrival.nowMs) / 1_000
    this.#meter.of(service).took(outcome, seconds)
    arrival.trace?.end({ name: 'answered', status: answer.status })
  }

  #forward(arrival: Arrival, passing: Passing, outcome: Counted, way: Way): void {
    const { nowMs, trace } = arrival
    const service = passing.service.name
    const passage = passageOf(arrival, passing)
    const running = trace
      ? trace.stage('forward', () => way.forward(passage))
      : way.forward(passage)
    const figures = this.#meter.of(service)
    figures.inFlight++
    running.then(
      (ended) => {
        figures.inFlight--
        this.#meter.ended(service, ended)
        const seconds = (this.deps.clock.now() - nowMs) / 1_000
        if (!way.upgrades) figures.took(outcome, seconds)
        trace?.end(ended)
      },
      (error: unknown) => {
        figures.inFlight--
        this.#breakOff(error, way, trace)
      },
    )
  }

  #breakOff(error: unknown, way: Way, trace: Trace | undefined): void {
    this.deps.log.error({ id: way.id, error }, 'a request could not be served')
    way.breakOff()
    trace?.end({ name: 'broken', error })
  }

  #count({ req, address, id, trace }: Arrival, service: string, outcome: Counted): void {
    this.#meter.count(service, outcome)
    trace?.decided(service, outcome)
    this.deps.onDecided?.(req, address, service, outcome, id)
    this.deps.log.debug({ id, service, outcome, method: req.method, address }, 'request')
  }

  #current(): Snapshot {
    const snapshot = this.deps.snapshot()
    if (snapshot !== this.#snapshot) {
      this.#snapshot = snapshot
      this.#forwarder.retain(snapshot.services)
    }
    return snapshot
  }
}

function outcomeOf(decision: Decision): Counted {
  if (decision.name === 'pass') return decision.token ? 'paid' : 'open'
  return decision.name === 'answer' ? decision.outcome : decision.refusal.outcome
}

function passageOf(arrival: Arrival, { service, target, token }: Passing): Passage {
  const { address: clientAddress, secure, trustedProxy, id, trace } = arrival
  const paid = token && {
    tokenId: token.tokenId,
    priceMsat: token.priceMsat,
    scheme: 'L402' as const,
  }
  const isSold = service.auth.level !== 'off' && !isOpenPath(service, target)
  return { service, target, clientAddress, paid, isSold, secure, trustedProxy, id, trace }
}
