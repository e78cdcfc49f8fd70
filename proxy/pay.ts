/** Makes the offer of a 402: an invoice, and the token that its preimage will open. */
import { randomBytes } from 'node:crypto'
import { isPinholeError, PinholeError } from '../src/base/errors.ts'
import type { Clock } from '../src/base/clock.ts'
import type { Log } from '../src/base/log.ts'
import type { Allowance, AllowanceScope } from './allowance.ts'
import { CHALLENGE_FAILED, problem, type Refusal, storeFailed } from './answer.ts'
import type { Invoice, InvoiceBackend } from './invoice-backend.ts'
import { serviceCaveats } from './l402/caveat.ts'
import { HASH_BYTES } from './l402/identifier.ts'
import { mint, ROOT_KEY_BYTES } from './l402/mint.ts'
import { payIdOf } from './page/pay-id.ts'
import type { Service } from './service.ts'
import type { TokenStore } from './token-store.ts'

/** What a client can buy. */
export interface Offer {
  readonly service: Service
  readonly invoice: Invoice
  /** In binary. */
  readonly macaroon: Uint8Array
  /** Hexadecimal. */
  readonly tokenId: string
  /** Secret between us and the page that shows this offer; see `page/pay-id.ts`. */
  readonly payId: string
}

/** What came of it. */
export type Payment =
  | { readonly name: 'offer'; readonly offer: Offer }
  | { readonly name: 'refused'; readonly refusal: Refusal }

/** What offers are made of. */
export interface PayDeps {
  readonly invoices: Pick<InvoiceBackend, 'invoice'>
  readonly tokens: Pick<TokenStore, 'add' | 'ready'>
  readonly allowance: Allowance
  readonly clock: Clock
  readonly log: Log
}

/** For whom and for how much. */
export interface Sale {
  readonly service: Service
  readonly priceMsat: bigint
  /** Whose allowance it uses up. */
  readonly address: string
  /** The request's own in the logs. */
  readonly id?: string
}

/** When to come back, where the backend of invoices does not say. */
const RETRY_INVOICE_MS = 5_000

const NOTHING_SOLD = storeFailed('nothing can be sold at the moment')

const WHOSE: Record<AllowanceScope, string> = {
  address: 'this address has',
  service: 'the clients of this service have',
  total: 'the clients of this server have',
}

/** Makes an offer. It is on disk before it is returned. Never rejects. */
export async function pay(sale: Sale, deps: PayDeps): Promise<Payment> {
  const { service, priceMsat, address } = sale
  // Logged when it began, and neither an invoice nor a share is spent on it.
  if (deps.tokens.ready?.() === false) return { name: 'refused', refusal: NOTHING_SOLD }
  const share = deps.allowance.take(address, service.name, deps.clock.now())
  if (!share.granted) {
    const text = `${WHOSE[share.scope]} asked for as many invoices as are allowed for now`
    const { retryAfterMs } = share
    const error = new PinholeError('ERR_INVOICE_ALLOWANCE', text, { retryAfterMs })
    return { name: 'refused', refusal: problem(error, 'allowance') }
  }
  let invoice: Invoice
  try {
    invoice = await deps.invoices.invoice({ amountMsat: priceMsat, node: service.node })
  } catch (error) {
    share.giveBack()
    return noInvoice(sale, error, deps.log)
  }
  try {
    return { name: 'offer', offer: await sell(sale, invoice, deps) }
  } catch (error) {
    deps.log.error(
      { id: sale.id, service: service.name, error },
      'no token could be made for an invoice',
    )
    const unstored = isPinholeError(error, 'ERR_STORE_OPEN')
    return { name: 'refused', refusal: unstored ? NOTHING_SOLD : CHALLENGE_FAILED }
  }
}

function noInvoice({ id, service }: Sale, error: unknown, log: Log): Payment {
  log.warn({ id, service: service.name, error }, 'no invoice for a client who would pay')
  if (!isPinholeError(error, 'ERR_INVOICE_UNAVAILABLE')) {
    return { name: 'refused', refusal: CHALLENGE_FAILED }
  }
  const { retryAfterMs = RETRY_INVOICE_MS } = error
  // The client is not told more: why there is none is between the hub and its node.
  const told = new PinholeError('ERR_INVOICE_UNAVAILABLE', 'no invoice can be made at the moment', {
    retryAfterMs,
  })
  return { name: 'refused', refusal: problem(told, 'no_invoice') }
}

async function sell({ service, priceMsat }: Sale, invoice: Invoice, deps: PayDeps): Promise<Offer> {
  const createdAtMs = deps.clock.wall()
  const rootKey = Uint8Array.from(randomBytes(ROOT_KEY_BYTES))
  const tokenId = Uint8Array.from(randomBytes(HASH_BYTES))
  const { paymentHash } = invoice
  const caveats = serviceCaveats(service, createdAtMs / 1_000)
  const { macaroon, identifier } = mint({ rootKey, paymentHash, tokenId, caveats })
  const { payId, identifierHash } = payIdOf(identifier, rootKey)
  await deps.tokens.add({
    identifierHash,
    rootKey,
    tokenId,
    paymentHash,
    service: service.name,
    priceMsat,
    createdAtMs,
  })
  return { service, invoice, macaroon, tokenId: Buffer.from(tokenId).toString('hex'), payId }
}
