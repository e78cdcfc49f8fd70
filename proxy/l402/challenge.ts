/** The challenge of a 402: written so that every deployed client reads it, read as every server writes it. */
import { fromBase64, toBase64 } from './base64.ts'
import { parseChallengeList, type AuthChallenge } from './challenge-list.ts'
import { MAX_MACAROON_BYTES } from './fields.ts'

/** What is offered: pay the invoice, and its preimage opens the macaroon. */
export interface Offer {
  /** In binary. */
  readonly macaroon: Uint8Array
  /** BOLT 11. */
  readonly invoice: string
}

/** An offer, and the name that its scheme went by. */
export interface Challenge extends Offer {
  readonly scheme: 'L402' | 'LSAT'
}

/** Most offers that are taken from an answer. */
export const MAX_CHALLENGES = 16

const INVOICE = /^[a-z0-9]+$/i
const VERSION = '0'

/**
 * Two lines of `WWW-Authenticate`, LSAT first: old clients take the first that matches. Clients that match
 * by pattern want `macaroon` and `invoice` next to each other; `version` and `token`, which newer ones look
 * for, come after. Throws a `TypeError` when the invoice is none and would break the line.
 */
export function formatChallenge({
  macaroon,
  invoice,
}: Offer): readonly [lsat: string, l402: string] {
  if (!INVOICE.test(invoice)) throw new TypeError('an invoice has letters and digits only')
  const token = toBase64(macaroon)
  const offer = `macaroon="${token}", invoice="${invoice}"`
  return [`LSAT ${offer}`, `L402 ${offer}, version="${VERSION}", token="${token}"`]
}

/** The offers in the lines of `WWW-Authenticate`, in order; other schemes are passed over. Never throws. */
export function parseChallenge(headerLines: readonly string[]): readonly Challenge[] {
  const challenges: Challenge[] = []
  for (const line of headerLines) {
    challenges.push(...parseChallengeList(line).flatMap((read) => readOffer(read) ?? []))
    if (challenges.length >= MAX_CHALLENGES) return challenges.slice(0, MAX_CHALLENGES)
  }
  return challenges
}

function readOffer({ scheme: written, parameters }: AuthChallenge): Challenge | undefined {
  const scheme = written.toUpperCase()
  if (scheme !== 'L402' && scheme !== 'LSAT') return undefined
  if ((parameters.get('version') ?? VERSION) !== VERSION) return undefined
  const invoice = parameters.get('invoice') ?? ''
  const macaroon =
    fromBase64(parameters.get('macaroon') ?? '', MAX_MACAROON_BYTES) ??
    fromBase64(parameters.get('token') ?? '', MAX_MACAROON_BYTES)
  return macaroon && INVOICE.test(invoice) ? { scheme, macaroon, invoice } : undefined
}
