/**
 * The 402: one offer, told to every kind of client. Deployed clients read the header lines, some a JSON body
 * with the names below, gRPC clients want trailers only with code 13, and people get a page.
 */
import { GrpcCode } from '../src/base/errors.ts'
import { preferredForm } from './accept.ts'
import { type Answer, type Asked, TEXT, trailersOnly, typed } from './answer.ts'
import { fitsCookie } from './cookie.ts'
import { CORS_HEADERS, type Headers } from './cors.ts'
import { toBase64 } from './l402/base64.ts'
import { formatChallenge } from './l402/challenge.ts'
import { PAGE_HEADERS, paymentPage } from './page/page.ts'
import type { Offer } from './pay.ts'

/** Clients look for this text, in lower case. */
const PAYMENT_REQUIRED = 'payment required'
/** Problem types of the Payment scheme's drafts, which Aperture uses too. */
const PROBLEMS = 'https://paymentauth.org/problems/'

/** `lines` is one line for each scheme, `combined` all in one: some clients keep only the last line of a name. */
export type ChallengeLayout = 'lines' | 'combined'

/** How an offer is made. */
export interface Manner {
  readonly layout: ChallengeLayout
  /** 401 when a credential was shown that opens nothing, and that is to be told apart. */
  readonly status: 401 | 402
}

/** Puts an offer into the form that its client reads; `url` is what the client asked for, path and query. */
export async function paymentRequired(
  offer: Offer,
  asked: Asked,
  url: string,
  { layout, status }: Manner,
): Promise<Answer> {
  const { macaroon, invoice } = offer
  const lines = formatChallenge({ macaroon, invoice: invoice.paymentRequest })
  const challenge: Headers = {
    ...CORS_HEADERS,
    'Cache-Control': 'no-store',
    'WWW-Authenticate': layout === 'combined' ? lines.join(', ') : lines,
  }
  if (asked.grpc) return trailersOnly(GrpcCode.internal, PAYMENT_REQUIRED, challenge)
  const form = preferredForm(asked.accept)
  if (form === 'html' && fitsCookie(macaroon)) {
    const body = await paymentPage(offer, url)
    return { status, headers: { ...challenge, ...PAGE_HEADERS }, body }
  }
  const text = form === 'text'
  return {
    status,
    headers: { ...challenge, ...typed(text ? TEXT : 'application/problem+json') },
    body: text ? `${PAYMENT_REQUIRED}\n` : JSON.stringify(problemOf(offer, status)),
  }
}

/** What deployed clients read from the body, by all the names that they look for. */
function problemOf({ service, invoice, macaroon, tokenId }: Offer, status: Manner['status']) {
  const { amountMsat, paymentHash, paymentRequest, expiresAtMs } = invoice
  // Of a part of a satoshi a client that counts in satoshis has to count on a whole one.
  const amountSats = Number((amountMsat + 999n) / 1_000n)
  return {
    ...(status === 401
      ? { type: `${PROBLEMS}verification-failed`, title: 'Unauthorized', status }
      : { type: `${PROBLEMS}payment-required`, title: 'Payment Required', status }),
    detail:
      'Pay the invoice, then ask again with the header "Authorization: L402 <macaroon>:<preimage in hex>".',
    challengeId: tokenId,
    service: service.name,
    invoice: paymentRequest,
    macaroon: toBase64(macaroon),
    paymentHash: Buffer.from(paymentHash).toString('hex'),
    amountSats,
    amountMsat: Number(amountMsat),
    priceSats: amountSats,
    expiresAt: Math.floor(expiresAtMs / 1_000),
  }
}
