/** What a credential says, and whether it opens its service now. */
import { createHash } from 'node:crypto'
import { fromBase64 } from '../../../proxy/l402/base64.ts'
import { type Credential, parseAuthorization } from '../../../proxy/l402/authorization.ts'
import { parseCaveat, SERVICES, validUntil } from '../../../proxy/l402/caveat.ts'
import { checkConditions } from '../../../proxy/l402/conditions.ts'
import { MAX_MACAROON_BYTES } from '../../../proxy/l402/fields.ts'
import { decodeIdentifier } from '../../../proxy/l402/identifier.ts'
import { hasSignature, type Macaroon, readMacaroon } from '../../../proxy/l402/macaroon.ts'
import { type Refusal, verify } from '../../../proxy/l402/verify.ts'
import { fromHex, toHex } from '../../base/bytes.ts'
import type { Transaction } from '../../store/transactions.ts'
import type { AdminDeps } from '../deps.ts'
import type { Operations } from '../operations.ts'
import { refuse } from './service-rules.ts'

/** The last time that RFC 3339 can write. */
const LATEST_MS = Date.UTC(9999, 11, 31, 23, 59, 59)
const SECOND_MS = 1_000

const WHY: Readonly<Record<Refusal, string>> = {
  malformed: 'it is no token of L402',
  preimage: 'the preimage is not that of its invoice',
  unknown: 'it was not sold here, or its offer was forgotten',
  signature: 'it was changed: its signature is not ours',
  caveat: 'its caveats cannot be met, or contradict each other',
  service: 'it is for another service',
  expired: 'it has expired',
}

/** A credential as it was read. */
interface Shown {
  readonly macaroon: Macaroon
  readonly preimage: Uint8Array | undefined
}

/** `decodeToken`. */
export function decodeOperations(deps: AdminDeps): Pick<Operations, 'decodeToken'> {
  return {
    async decodeToken({ credential, service: named }) {
      const shown = readCredential(credential)
      const { macaroon } = shown
      const identifier = decodeIdentifier(macaroon.identifier)
      const identifierHash = sha256(macaroon.identifier)
      const [sale] = deps.store.transactions.list({ identifierHash }, { limit: 1 })
      const service = named || sale?.service || serviceOf(macaroon)
      return {
        token_id: identifier ? toHex(identifier.tokenId) : '',
        payment_hash: identifier ? toHex(identifier.paymentHash) : '',
        version: macaroon.version,
        location: macaroon.location,
        caveats: macaroon.caveats.map((text) => {
          return parseCaveat(text) ?? { condition: text, value: '' }
        }),
        expires_at: expiryOf(macaroon, service),
        verdict: verdictOf(shown, service, sale, deps),
      }
    },
  }
}

/** @throws ERR_ADMIN_REQUEST for what holds no macaroon */
function readCredential(text: string): Shown {
  const value = text.trim().replace(/^authorization:\s*/i, '')
  const [credential] = [value, `L402 ${value}`].flatMap((line): readonly Credential[] =>
    parseAuthorization(['authorization', line]),
  )
  const [paid] =
    credential?.macaroons ?? parseAuthorization(['macaroon', value])[0]?.macaroons ?? []
  const bytes = paid ?? fromHex(value) ?? fromBase64(value, MAX_MACAROON_BYTES)
  const macaroon = bytes && readMacaroon(bytes)
  if (!macaroon) refuse('credential: is neither an Authorization header nor a macaroon')
  const preimage = credential?.preimage ?? parseAuthorization(['macaroon', value])[0]?.preimage
  return { macaroon, preimage }
}

function verdictOf(
  { macaroon, preimage }: Shown,
  service: string,
  sale: Transaction | undefined,
  { store, clock, config }: AdminDeps,
): string {
  if (sale && !sale.valid) return 'it was revoked'
  const rootKey = (hash: Uint8Array) => store.tokens.rootKey(hash)
  const nowMs = clock.wall()
  if (preimage) {
    const credential = { macaroons: [macaroon.bytes], preimage }
    const verdict = verify(credential, { rootKey, service, nowMs })
    if (verdict.name === 'refused') return WHY[verdict.reason]
    const unheard = config().strictverify && sale?.state !== 'settled'
    return unheard ? 'the node has not told that its invoice is paid (strictverify)' : 'valid'
  }
  const key = rootKey(sha256(macaroon.identifier))
  return unpaidVerdict(macaroon, key, { service, nowMs })
}

/** The same checks without a preimage. */
function unpaidVerdict(
  macaroon: Macaroon,
  key: Uint8Array | undefined,
  { service, nowMs }: { readonly service: string; readonly nowMs: number },
): string {
  if (!decodeIdentifier(macaroon.identifier)) return WHY.malformed
  if (!key) return WHY.unknown
  if (macaroon.thirdParty) return WHY.caveat
  if (!hasSignature(macaroon, key)) return WHY.signature
  const conditions = checkConditions(macaroon.caveats, service, nowMs)
  if (conditions.name === 'unmet') return WHY[conditions.reason]
  return 'it has no preimage; all else is good'
}

/** The first service that it names. */
function serviceOf({ caveats }: Macaroon): string {
  const listed = caveats.map(parseCaveat).findLast((caveat) => caveat?.condition === SERVICES)
  return listed?.value.split(':')[0] ?? ''
}

function expiryOf({ caveats }: Macaroon, service: string): string {
  const condition = validUntil(service)
  const last = caveats.map(parseCaveat).findLast((caveat) => caveat?.condition === condition)
  const ms = /^\d{1,12}$/.test(last?.value ?? '') ? Number(last?.value) * SECOND_MS : Infinity
  return ms > LATEST_MS ? '' : new Date(ms).toISOString()
}

const sha256 = (bytes: Uint8Array): Uint8Array =>
  Uint8Array.from(createHash('sha256').update(bytes).digest())
