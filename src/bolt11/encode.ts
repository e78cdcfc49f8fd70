/** Writes and signs BOLT 11 invoices: what the simulated node needs of it, not fallbacks or routes. */
import { bech32 } from '@scure/base'
import { utf8 } from '../base/bytes.ts'
import { MAX_INVOICE_LENGTH } from './decode.ts'
import { Tag, TIMESTAMP_WORDS } from './layout.ts'
import type { NetworkPrefix } from './network.ts'
import { sign } from './signature.ts'
import { wordsOfBytes, wordsOfNumber } from './words.ts'

const MAX_TIMESTAMP = 2 ** (5 * TIMESTAMP_WORDS) - 1
const LENGTH_WORDS = 2
const MAX_FIELD_WORDS = 1_023
const HASH_BYTES = 32
const PICO_PER_MSAT = 10n
/** From the largest unit to the smallest, in pico-bitcoin. */
const UNITS = [
  ['', 1_000_000_000_000n],
  ['m', 1_000_000_000n],
  ['u', 1_000_000n],
  ['n', 1_000n],
  ['p', 1n],
] as const

/** What an invoice is to say. */
export interface InvoiceFields {
  readonly network: NetworkPrefix
  /** Left out, the payer chooses. */
  readonly amountMsat: bigint | undefined
  /** Seconds since 1970. */
  readonly timestampSeconds: number
  /** 32 bytes. */
  readonly paymentHash: Uint8Array
  /** 32 bytes; each invoice has its own. */
  readonly paymentSecret: Uint8Array | undefined
  /** In words, or the SHA-256 of the words. */
  readonly description: string | Uint8Array
  /** Left out, an hour. */
  readonly expirySeconds: number | undefined
  readonly minFinalCltvExpiry: number | undefined
  /** Numbers of feature bits (BOLT 9). */
  readonly features: readonly number[]
}

/** The invoice in lower case, signed with a 32-byte key. Throws `TypeError` for what no invoice can say. */
export function encodeInvoice(fields: InvoiceFields, privateKey: Uint8Array): string {
  const prefix = `ln${fields.network}${formatAmount(fields.amountMsat)}`
  const words = [...timestamp(fields.timestampSeconds), ...taggedFields(fields)]
  return bech32.encode(prefix, [...words, ...sign(prefix, words, privateKey)], MAX_INVOICE_LENGTH)
}

function taggedFields(fields: InvoiceFields): number[] {
  const { paymentHash, paymentSecret, description, expirySeconds, minFinalCltvExpiry } = fields
  return [
    ...(paymentSecret ? hash(Tag.paymentSecret, paymentSecret) : []),
    ...hash(Tag.paymentHash, paymentHash),
    ...(typeof description === 'string'
      ? tagged(Tag.description, wordsOfBytes(utf8(description)))
      : hash(Tag.descriptionHash, description)),
    ...(expirySeconds === undefined ? [] : tagged(Tag.expiry, wordsOfNumber(expirySeconds))),
    ...(minFinalCltvExpiry === undefined
      ? []
      : tagged(Tag.minFinalCltvExpiry, wordsOfNumber(minFinalCltvExpiry))),
    ...featureBits(fields.features),
  ]
}

function tagged(tag: number, words: readonly number[]): number[] {
  if (words.length > MAX_FIELD_WORDS) throw new TypeError('a field of an invoice is too long')
  return [tag, ...wordsOfNumber(words.length, LENGTH_WORDS), ...words]
}

function hash(tag: number, bytes: Uint8Array): number[] {
  if (bytes.length !== HASH_BYTES) throw new TypeError(`a hash has 32 bytes, not ${bytes.length}`)
  return tagged(tag, wordsOfBytes(bytes))
}

function featureBits(features: readonly number[]): number[] {
  if (features.length === 0) return []
  const set = features.reduce((bits, bit) => bits | (1n << BigInt(bit)), 0n)
  return tagged(Tag.features, wordsOfNumber(set))
}

function timestamp(seconds: number): number[] {
  if (!Number.isInteger(seconds) || seconds < 0 || seconds > MAX_TIMESTAMP) {
    throw new TypeError(`${seconds} is no time of an invoice`)
  }
  return wordsOfNumber(seconds, TIMESTAMP_WORDS)
}

/** Number and multiplier, as short as possible. */
function formatAmount(msat: bigint | undefined): string {
  if (msat === undefined) return ''
  if (msat <= 0n) throw new TypeError('an invoice asks for more than nothing')
  const pico = msat * PICO_PER_MSAT
  const [multiplier, size] = UNITS.find(([, unit]) => pico % unit === 0n) ?? ['p', 1n]
  return `${pico / size}${multiplier}`
}
