/** One request and what it takes to have it served: show a token, and when another is asked for, get it. */
import type { PaidToken } from './bought-token.ts'
import { authorizationOf, type Buyer, refusedError, type Target } from './buyer.ts'
import { readOffer } from './offer.ts'

/** What came of sending the request once. */
export interface Attempt<R> {
  readonly response: R
  /** Lines of `WWW-Authenticate` when payment is asked for. */
  readonly unpaid: readonly string[] | undefined
  /** Throws when the request cannot be sent once more, so that nothing is paid for it. */
  readonly checkRepeatable?: () => void
  /** Lets go of the response, of which nothing is wanted any more. */
  readonly discard?: () => Promise<void>
}

/**
 * Sends a request, pays once when that is asked for, and sends it again. Resolves with the first response that asks
 * for no payment, or offers none by L402.
 *
 * @throws ERR_L402_CHALLENGE, ERR_PAYMENT_*, ERR_BOLT11_INVOICE; what `send` throws
 */
export async function exchange<R>(
  buyer: Buyer,
  target: Target,
  send: (authorization: string | undefined) => Promise<Attempt<R>>,
): Promise<R> {
  const tried: PaidToken[] = []
  let bought = false
  let token = await buyer.find(target)
  for (;;) {
    const { response, unpaid, checkRepeatable, discard } = await send(
      token && authorizationOf(token),
    )
    if (!unpaid) {
      if (token) await buyer.accepted(token, target)
      return response
    }
    const offer = readOffer(unpaid, buyer.now())
    if (!offer) return response
    await discard?.()
    checkRepeatable?.()
    if (token) tried.push(token)
    if (token && bought) throw refusedError(token)
    ;({ token, bought } = await buyer.answer(offer, target, tried))
  }
}
