/**
 * `POST /_pinhole/pay/<pay id>`: gives the page of a paid offer its credential, as a cookie. The node tells
 * the preimage of its own invoice, so this works only for who has the page's secret and only once it is paid.
 */
import { createHash } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { equalBytes } from '../../src/base/bytes.ts'
import type { Clock } from '../../src/base/clock.ts'
import type { Log } from '../../src/base/log.ts'
import { preferredForm } from '../accept.ts'
import { cookieValue, setCookie } from '../cookie.ts'
import type { InvoiceBackend } from '../invoice-backend.ts'
import { fromBase64 } from '../l402/base64.ts'
import { MAX_MACAROON_BYTES } from '../l402/fields.ts'
import { verify } from '../l402/verify.ts'
import type { TokenStore } from '../token-store.ts'
import { notPaidPage, PAGE_HEADERS, type PayForm } from './page.ts'
import { type AwaitedToken, readPayId } from './pay-id.ts'
import { FIELDS, PAY_PATH } from './script.ts'

/** What the route asks. */
export interface PayRouteOptions {
  readonly invoices: Pick<InvoiceBackend, 'settled' | 'preimage'>
  readonly tokens: TokenStore
  readonly clock: Clock
  readonly log: Log
  /** Whether a request came by TLS. */
  readonly secure: (request: FastifyRequest) => boolean
}

/** Larger than any form of ours: a macaroon, a name and a URL. */
const MAX_FORM_BYTES = 65_536
/** A page's question waits so long for the payment; proxies between cut at 30 s and more. */
const SCRIPT_WAIT_MS = 20_000
/** A person who has pressed the button waits so long. */
const BUTTON_WAIT_MS = 3_000
/** Questions that wait at once; what is beyond gets its answer at once. */
const MAX_WAITING = 1_000
/** Starts with one slash and has nothing but printable ASCII. */
const LOCAL_URL = /^\/[\x21-\x7e]*$/

interface Bought {
  readonly macaroon: Uint8Array
  readonly preimage: Uint8Array
  readonly service: string
  readonly identifierHash: Uint8Array
  readonly expiresAtMs: number | undefined
}

type Form = ReadonlyMap<string, string>

/** Adds the route. */
export function payRoute(app: FastifyInstance, options: PayRouteOptions): void {
  const desk = new Desk(options)
  app.addHook('preClose', async () => desk.close())
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', bodyLimit: MAX_FORM_BYTES },
    (_request, body, done) => done(null, new Map(new URLSearchParams(String(body)))),
  )
  // A parameter by name would have to be shorter (Fastify's maxParamLength).
  app.post<{ Params: { '*': string } }>(`${PAY_PATH}*`, (request, reply) =>
    desk.serve(request.params['*'], request, reply),
  )
}

class Desk {
  readonly #options: PayRouteOptions
  /** Ends of the questions that wait. */
  readonly #waiting = new Set<() => void>()

  constructor(options: PayRouteOptions) {
    this.#options = options
  }

  close(): void {
    for (const end of this.#waiting) end()
  }

  async serve(payId: string, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    void reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff')
    // Another site must not put its own credential in the place of one that was paid for here.
    const site = request.headers['sec-fetch-site']
    if (site !== undefined && site !== 'same-origin') {
      return void reply.code(403).send({ error: 'ask from the payment page' })
    }
    const { tokens } = this.#options
    const awaited = readPayId(payId, (hash) => tokens.rootKey(hash))
    const form: Form = request.body instanceof Map ? request.body : new Map()
    if (!awaited) return void reply.code(404).send({ error: 'no such offer' })
    const script = preferredForm(request.headers.accept) === 'json'
    const paid = await this.#settled(awaited, script ? SCRIPT_WAIT_MS : BUTTON_WAIT_MS)
    const bought = paid ? await this.#credential(awaited, form) : undefined
    if (bought === 'mismatch')
      return void reply.code(400).send({ error: 'this is not the form of the offer' })
    if (!bought) {
      if (script) return void reply.send({ state: 'open' })
      return void reply.headers({ ...PAGE_HEADERS }).send(notPaidPage(payId, again(form)))
    }
    tokens.paid(bought.identifierHash)
    void reply.header('set-cookie', this.#cookie(bought, request))
    if (script) return void reply.send({ state: 'paid' })
    return void reply.redirect(localUrl(form.get(FIELDS.url)), 303)
  }

  async #settled({ paymentHash }: AwaitedToken, waitMs: number): Promise<boolean> {
    const within = this.#waiting.size < MAX_WAITING ? waitMs : 0
    let end = () => {}
    const closed = new Promise<false>((resolve) => (end = () => resolve(false)))
    this.#waiting.add(end)
    try {
      return await Promise.race([this.#options.invoices.settled(paymentHash, within), closed])
    } catch (error) {
      this.#options.log.warn({ error }, 'cannot ask whether an invoice is paid')
      return false
    } finally {
      this.#waiting.delete(end)
    }
  }

  /** The credential of a settled invoice; `undefined` while its node does not tell the preimage. */
  async #credential(awaited: AwaitedToken, form: Form): Promise<Bought | 'mismatch' | undefined> {
    const { invoices, tokens, clock, log } = this.#options
    const macaroon = fromBase64(form.get(FIELDS.macaroon) ?? '', MAX_MACAROON_BYTES)
    const service = form.get(FIELDS.service) ?? ''
    if (!macaroon) return 'mismatch'
    const preimage = await invoices.preimage(awaited.paymentHash).catch((error: unknown) => {
      log.warn({ error }, 'the node does not tell the preimage of a paid invoice')
      return undefined
    })
    if (!preimage || !equalBytes(sha256(preimage), awaited.paymentHash)) return undefined
    const verdict = verify(
      { macaroons: [macaroon], preimage },
      { rootKey: (hash) => tokens.rootKey(hash), service, nowMs: clock.wall() },
    )
    if (verdict.name === 'refused') return 'mismatch'
    const { identifierHash, expiresAtMs } = verdict
    if (!equalBytes(identifierHash, awaited.identifierHash)) return 'mismatch'
    return { macaroon, preimage, service, identifierHash, expiresAtMs }
  }

  #cookie({ macaroon, preimage, service, expiresAtMs }: Bought, request: FastifyRequest): string {
    const { clock, secure } = this.#options
    const seconds = expiresAtMs === undefined ? undefined : (expiresAtMs - clock.wall()) / 1_000
    const value = cookieValue(macaroon, preimage)
    return setCookie({ service, value, secure: secure(request), seconds })
  }
}

const sha256 = (bytes: Uint8Array) => Uint8Array.from(createHash('sha256').update(bytes).digest())

/** The form as it came, for one more try. */
function again(form: Form): PayForm {
  const { macaroon, service, url } = FIELDS
  return {
    macaroon: form.get(macaroon) ?? '',
    service: form.get(service) ?? '',
    url: localUrl(form.get(url)),
  }
}

/** A URL on this host: two slashes at its beginning would name another one. */
function localUrl(url = '/'): string {
  if (!LOCAL_URL.test(url)) return '/'
  return url.startsWith('//') ? `/.${url}` : url
}
