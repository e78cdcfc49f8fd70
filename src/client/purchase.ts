/**
 * Buys one token so that no crash makes it cost twice: what is to be paid is kept before it is paid, and an
 * open payment is brought to its end before another begins.
 */
import { createHash } from 'node:crypto'
import { equalBytes, fromHex } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import { isPinholeError, PinholeError } from '../base/errors.ts'
import { decodeInvoice } from '../bolt11/decode.ts'
import type { BoughtToken, BoughtTokens, PaidToken } from './bought-token.ts'
import type { Offer } from './offer.ts'
import type { Payment, PaymentState, Wallet } from './wallet.ts'

/** What buying takes. */
export interface Purse {
  readonly wallet: Wallet
  readonly tokens: BoughtTokens
  /** Most that one token may cost, routing included. */
  readonly maxMsat: bigint
  readonly clock: Clock
}

/** What a wallet rejects with when surely no money has left. */
const UNPAID = ['ERR_PAYMENT_FAILED', 'ERR_NODE_PERMISSION'] as const
/** Up to here a route may cost as much as what is bought; above, this part of it (lnd's rule). */
const SMALL_MSAT = 1_000_000n
const FEE_DIVISOR = 20n

/**
 * Pays for `offer`, to be used at `target`.
 *
 * @throws ERR_PAYMENT_LIMIT, ERR_PAYMENT_FAILED, ERR_PAYMENT_PENDING, ERR_PAYMENT_STORE; what else the wallet throws
 */
export async function purchase(
  purse: Purse,
  offer: Offer,
  target: { readonly origin: string; readonly path: string },
): Promise<PaidToken> {
  const { amountMsat, paymentHash, paymentRequest } = offer.invoice
  checkLimit(purse, amountMsat)
  const token: BoughtToken = {
    origin: target.origin,
    service: offer.service,
    paths: [target.path],
    scheme: offer.scheme,
    macaroon: offer.macaroon,
    invoice: paymentRequest,
    paymentHash,
    amountMsat,
    boughtAtMs: purse.clock.wall(),
    preimage: undefined,
    accepted: false,
  }
  await purse.tokens.put(token)
  return pay(purse, token)
}

/**
 * Brings the open payment of a token to its end: the token when it was made, now or before; `undefined` when
 * it surely was not and is forgotten. Throws as `purchase` does while that is not known.
 */
export async function finish(purse: Purse, token: BoughtToken): Promise<PaidToken | undefined> {
  const state = await lookup(purse, token)
  if (state?.name === 'paid') return keep(purse, token, state)
  if (state?.name === 'failed' || (state?.name === 'unknown' && isExpired(purse, token))) {
    await purse.tokens.remove(token)
    return undefined
  }
  // Under way, it is waited for. Without a word of the wallet's the same invoice is what cannot cost twice.
  if (state?.name !== 'pending') checkLimit(purse, token.amountMsat)
  try {
    return await pay(purse, token)
  } catch (reason) {
    if (isPinholeError(reason, 'ERR_PAYMENT_FAILED')) return undefined
    throw reason
  }
}

async function lookup({ wallet }: Purse, token: BoughtToken): Promise<PaymentState | undefined> {
  if (!wallet.lookup) return undefined
  try {
    return await wallet.lookup(token.paymentHash)
  } catch (cause) {
    throw cause instanceof PinholeError ? cause : pending(token, 'the wallet does not say', cause)
  }
}

async function pay(purse: Purse, token: BoughtToken): Promise<PaidToken> {
  const maxFeeMsat = feeLimit(token.amountMsat, purse.maxMsat)
  let payment: Payment
  try {
    payment = await purse.wallet.pay(token.invoice, { maxFeeMsat })
  } catch (reason) {
    if (isPinholeError(reason, ...UNPAID)) await purse.tokens.remove(token)
    throw reason instanceof PinholeError
      ? reason
      : pending(token, `the wallet failed${said(reason)}`, reason)
  }
  return keep(purse, token, payment)
}

async function keep(
  { tokens }: Purse,
  token: BoughtToken,
  payment: Partial<Payment> | undefined,
): Promise<PaidToken> {
  const bytes = bytesOf(payment?.preimage)
  if (!bytes || !equalBytes(createHash('sha256').update(bytes).digest(), token.paymentHash)) {
    // The money may be gone: the token stays open, so that nothing is bought in its place.
    throw new PinholeError(
      'ERR_PAYMENT_PENDING',
      'the wallet gave a preimage that is not that of the invoice',
    )
  }
  const paid = { ...token, preimage: bytes }
  await tokens.put(paid)
  return paid
}

/** A copy of 32 bytes. Taken in hex too, as most wallets tell them: they are paid for by now. */
function bytesOf(preimage: unknown): Uint8Array | undefined {
  const bytes = typeof preimage === 'string' ? fromHex(preimage) : preimage
  return bytes instanceof Uint8Array && bytes.length === 32 ? Uint8Array.from(bytes) : undefined
}

const isExpired = ({ clock }: Purse, { invoice }: BoughtToken): boolean =>
  decodeInvoice(invoice).expiresAtMs <= clock.wall()

function checkLimit({ maxMsat }: Purse, amountMsat: bigint): void {
  if (amountMsat <= maxMsat) return
  throw new PinholeError(
    'ERR_PAYMENT_LIMIT',
    `the server asks for ${satoshis(amountMsat)} and the limit is ${satoshis(maxMsat)}`,
  )
}

/** What is left of the limit, and no more than is usual. */
function feeLimit(amountMsat: bigint, maxMsat: bigint): bigint {
  const usual = amountMsat <= SMALL_MSAT ? amountMsat : amountMsat / FEE_DIVISOR
  const left = maxMsat - amountMsat
  return left < usual ? left : usual
}

/** An amount in satoshis, with as many decimals as it has. */
export function satoshis(msat: bigint): string {
  const rest = msat % 1000n
  const decimals = rest === 0n ? '' : `.${String(rest).padStart(3, '0').replace(/0+$/, '')}`
  return `${msat / 1000n}${decimals} sat`
}

/** What a wallet said when it failed. */
const said = (reason: unknown): string =>
  reason instanceof Error && reason.message !== '' ? `: ${reason.message}` : ''

const pending = (token: BoughtToken, why: string, cause?: unknown): PinholeError =>
  new PinholeError(
    'ERR_PAYMENT_PENDING',
    `whether ${satoshis(token.amountMsat)} to ${token.origin} are paid is not known: ${why}`,
    { cause },
  )
