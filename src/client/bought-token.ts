/** A token that was bought or is being bought, and the port through which it is kept. */
import { fromHex, toHex } from '../base/bytes.ts'
import { PinholeError } from '../base/errors.ts'

/** A token and its payment. All of it but origin, service and paths is secret. */
export interface BoughtToken {
  /** Scheme, host and port of the server, or whatever a gRPC client calls it. */
  readonly origin: string
  /** What the macaroon is for; empty when it does not say. */
  readonly service: string
  /** Paths at which it is known to be wanted, the newest last. */
  readonly paths: readonly string[]
  /** How the server called the scheme. */
  readonly scheme: 'L402' | 'LSAT'
  readonly macaroon: Uint8Array
  /** BOLT 11. */
  readonly invoice: string
  /** 32 bytes. */
  readonly paymentHash: Uint8Array
  readonly amountMsat: bigint
  /** When the purchase began, in milliseconds since 1970. */
  readonly boughtAtMs: number
  /** 32 bytes; `undefined` as long as the payment is not known to have been made. */
  readonly preimage: Uint8Array | undefined
  /** Whether the server has served anything for it. */
  readonly accepted: boolean
}

/** A token that can be shown. */
export type PaidToken = BoughtToken & { readonly preimage: Uint8Array }

/** Whether the payment of `token` is known to have been made. */
export const isPaid = (token: BoughtToken): token is PaidToken => token.preimage !== undefined

/** Keeps bought tokens; each is told from others by its payment hash. */
export interface BoughtTokens {
  /** All of one server. */
  list(origin: string): Promise<readonly BoughtToken[]>
  /**
   * Adds a token or puts it in place of the one of its payment hash. Resolves when it would survive a crash:
   * a payment begins only after that.
   */
  put(token: BoughtToken): Promise<void>
  /** Forgets a token, if it is there. */
  remove(token: BoughtToken): Promise<void>
}

/** Tokens that are forgotten with the process. */
export function memoryTokens(): BoughtTokens {
  const tokens = new Map<string, BoughtToken>()
  return {
    list: async (origin) => [...tokens.values()].filter((token) => token.origin === origin),
    put: async (token) => void tokens.set(toHex(token.paymentHash), token),
    remove: async (token) => void tokens.delete(toHex(token.paymentHash)),
  }
}

/** A token as JSON: bytes in hex, amounts as decimal text. */
export function formatToken(token: BoughtToken): string {
  const { macaroon, paymentHash, amountMsat, preimage, ...plain } = token
  const bytes = { macaroon: toHex(macaroon), paymentHash: toHex(paymentHash) }
  const paid = preimage && toHex(preimage)
  const record = { ...plain, ...bytes, amountMsat: String(amountMsat), preimage: paid }
  return `${JSON.stringify(record, undefined, 2)}\n`
}

/** Reads what `formatToken` wrote. Throws `ERR_PAYMENT_STORE`. */
export function parseToken(json: string): BoughtToken {
  const record = recordOf(json)
  const { scheme, paths, amountMsat, boughtAtMs, accepted } = record
  const text = (name: string): string => {
    const value = record[name]
    return typeof value === 'string' ? value : broken(name)
  }
  const bytes = (name: string): Uint8Array => fromHex(text(name)) ?? broken(name)
  return {
    origin: text('origin'),
    service: text('service'),
    paths: Array.isArray(paths) ? paths.map(String) : broken('paths'),
    scheme: scheme === 'LSAT' ? 'LSAT' : 'L402',
    macaroon: bytes('macaroon'),
    invoice: text('invoice'),
    paymentHash: bytes('paymentHash'),
    amountMsat: /^\d{1,19}$/.test(String(amountMsat))
      ? BigInt(text('amountMsat'))
      : broken('amount'),
    boughtAtMs: typeof boughtAtMs === 'number' ? boughtAtMs : broken('boughtAtMs'),
    preimage: record['preimage'] === undefined ? undefined : bytes('preimage'),
    accepted: accepted === true,
  }
}

function recordOf(json: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(json)
    if (typeof value === 'object' && value !== null) return { ...value }
  } catch {
    // The parser's message would quote the text, which holds secrets.
  }
  return broken('JSON object')
}

function broken(what: string): never {
  throw new PinholeError('ERR_PAYMENT_STORE', `a stored token is broken: it has no ${what}`)
}
