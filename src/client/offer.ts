/** What a 402 offers, checked as far as that is possible before it is paid. */
import { PinholeError } from '../base/errors.ts'
import { toHex } from '../base/bytes.ts'
import { decodeInvoice, type DecodedInvoice } from '../bolt11/decode.ts'
import { parseCaveat, SERVICES } from '../../proxy/l402/caveat.ts'
import { type Challenge, parseChallenge } from '../../proxy/l402/challenge.ts'
import { decodeIdentifier } from '../../proxy/l402/identifier.ts'
import { readMacaroon } from '../../proxy/l402/macaroon.ts'

/** A token that is for sale. */
export interface Offer {
  readonly scheme: 'L402' | 'LSAT'
  readonly macaroon: Uint8Array
  /** Names in the macaroon's last `services` caveat; empty without one. */
  readonly service: string
  readonly invoice: DecodedInvoice & { readonly amountMsat: bigint }
}

const MENTIONED = /(^|,)\s*(l402|lsat)\s/i

/**
 * The first offer in the lines of `WWW-Authenticate` that can be taken; `undefined` when they speak of no
 * L402 at all. Throws `ERR_L402_CHALLENGE` when they do, but nothing of it should be paid,
 * `ERR_PAYMENT_LIMIT` when an invoice leaves the amount to the payer.
 */
export function readOffer(headerLines: readonly string[], nowMs: number): Offer | undefined {
  // Both names are offered by most servers, LSAT first for clients of old; only such servers know it alone.
  const challenges = parseChallenge(headerLines).toSorted((a, b) =>
    a.scheme.localeCompare(b.scheme),
  )
  if (challenges.length === 0) {
    if (!headerLines.some((line) => MENTIONED.test(line))) return undefined
    throw refused('it has no macaroon and invoice')
  }
  let first: unknown
  for (const challenge of challenges) {
    try {
      return checkOffer(challenge, nowMs)
    } catch (reason) {
      first ??= reason
    }
  }
  throw first
}

function checkOffer({ scheme, macaroon, invoice }: Challenge, nowMs: number): Offer {
  const read = readMacaroon(macaroon)
  const identifier = read && decodeIdentifier(read.identifier)
  if (!identifier) throw refused('its macaroon names no payment hash')
  const decoded = decodedInvoice(invoice)
  const { amountMsat, paymentHash, expiresAtMs } = decoded
  if (toHex(paymentHash) !== toHex(identifier.paymentHash)) {
    throw refused('its invoice does not pay for its macaroon')
  }
  if (amountMsat === undefined) {
    throw new PinholeError('ERR_PAYMENT_LIMIT', "the server's invoice names no amount")
  }
  if (expiresAtMs <= nowMs) throw refused('its invoice has expired')
  const service = serviceOf(read.caveats)
  return { scheme, macaroon, service, invoice: { ...decoded, amountMsat } }
}

function decodedInvoice(invoice: string): DecodedInvoice {
  try {
    return decodeInvoice(invoice)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new PinholeError('ERR_L402_CHALLENGE', `the server's challenge is no use: ${why}`, {
      cause,
    })
  }
}

/** `a:0,b:0` as `a,b`. */
function serviceOf(caveats: readonly string[]): string {
  const services = caveats
    .map(parseCaveat)
    .findLast((caveat) => caveat?.condition === SERVICES)?.value
  return (services ?? '').replaceAll(/:\d+/g, '')
}

const refused = (why: string) =>
  new PinholeError('ERR_L402_CHALLENGE', `the server's challenge is no use: ${why}`)
