/**
 * What a BOLT 11 invoice says, as far as one who pays has to know: limits first, then bech32, then the tagged
 * fields by the rules of the specification. Whose signature it bears is `payeeOf`'s business.
 */
import { bech32 } from '@scure/base'
import { text as textOf } from '../base/bytes.ts'
import { PinholeError } from '../base/errors.ts'
import { FIELD_HEADER_WORDS, SIGNATURE_WORDS, Tag, TIMESTAMP_WORDS } from './layout.ts'
import { networkOf, type Network } from './network.ts'
import { bytesOfWords, numberOfWords } from './words.ts'

/** lnd's limit, in characters: what a QR code holds. */
export const MAX_INVOICE_LENGTH = 7_089
/** `lnbcrt`, 20 digits and a multiplier: nothing longer is an invoice. */
const MAX_PREFIX_LENGTH = 27
/** All bitcoin there can be. */
const MAX_MSAT = 2_100_000_000_000_000_000n
const DEFAULT_EXPIRY_SECONDS = 3_600
const HASH_WORDS = 52
const PAYEE_WORDS = 53
const PICO_PER_MSAT = 10n
/** What one unit of each multiplier is in pico-bitcoin. */
const MULTIPLIERS: Readonly<Record<string, bigint>> = {
  '': 1_000_000_000_000n,
  m: 1_000_000_000n,
  u: 1_000_000n,
  n: 1_000n,
  p: 1n,
}

/** A decoded invoice. */
export interface DecodedInvoice {
  /** Lower case. */
  readonly paymentRequest: string
  readonly network: Network
  /** `undefined` when the payer is to choose; never 0. */
  readonly amountMsat: bigint | undefined
  /** 32 bytes. */
  readonly paymentHash: Uint8Array
  /** 32 bytes. */
  readonly paymentSecret: Uint8Array | undefined
  readonly description: string | undefined
  /** SHA-256 of a description that is kept elsewhere, 32 bytes. */
  readonly descriptionHash: Uint8Array | undefined
  /** The public key that the invoice names, 33 bytes; most name none, see `payeeOf`. */
  readonly payee: Uint8Array | undefined
  readonly minFinalCltvExpiry: number | undefined
  /** Milliseconds since 1970. */
  readonly createdAtMs: number
  /** Milliseconds since 1970. */
  readonly expiresAtMs: number
}

/** Reads an invoice in either case, bare, as it stands in a challenge. Throws `ERR_BOLT11_INVOICE`. */
export function decodeInvoice(text: string): DecodedInvoice {
  const paymentRequest = checkCase(text)
  const { prefix, words } = readBech32(paymentRequest)
  const { network, amountMsat } = readPrefix(prefix)
  const fields = readFields(words.slice(TIMESTAMP_WORDS, -SIGNATURE_WORDS))
  const hash = (tag: number) => bytesOf(fields, tag, HASH_WORDS)
  const paymentHash = hash(Tag.paymentHash)
  if (!paymentHash) throw broken('it names no payment hash')
  const created = numberOfWords(words.slice(0, TIMESTAMP_WORDS))
  const description = fields.find(({ tag }) => tag === Tag.description)
  return {
    paymentRequest,
    network,
    amountMsat,
    paymentHash,
    paymentSecret: hash(Tag.paymentSecret),
    description: description && textOf(bytesOfWords(description.words, 'whole')),
    descriptionHash: hash(Tag.descriptionHash),
    payee: bytesOf(fields, Tag.payee, PAYEE_WORDS),
    minFinalCltvExpiry: numberOf(fields, Tag.minFinalCltvExpiry),
    createdAtMs: created * 1_000,
    expiresAtMs: Math.min(
      (created + (numberOf(fields, Tag.expiry) ?? DEFAULT_EXPIRY_SECONDS)) * 1_000,
      Number.MAX_SAFE_INTEGER,
    ),
  }
}

function checkCase(text: string): string {
  if (typeof text !== 'string') throw new TypeError('an invoice is a text')
  if (text.length > MAX_INVOICE_LENGTH) {
    throw broken(`it has more than ${MAX_INVOICE_LENGTH} characters`)
  }
  const lower = text.toLowerCase()
  if (text !== lower && text !== text.toUpperCase()) throw broken('its case is mixed')
  return lower
}

function readBech32(text: string): { readonly prefix: string; readonly words: readonly number[] } {
  const read = bech32.decodeUnsafe(text, MAX_INVOICE_LENGTH)
  if (!read) throw broken('its checksum is wrong')
  if (read.words.length < TIMESTAMP_WORDS + SIGNATURE_WORDS) throw broken('it is too short')
  return read
}

function readPrefix(prefix: string): {
  readonly network: Network
  readonly amountMsat: bigint | undefined
} {
  if (prefix.length > MAX_PREFIX_LENGTH) throw broken('its amount is too long')
  const [, letters = '', digits, multiplier = ''] = /^ln([a-z]+)(?:(\d+)(.?))?$/.exec(prefix) ?? []
  const network = networkOf(letters)
  if (!network) throw broken('it is for no known network')
  const unit = MULTIPLIERS[multiplier]
  if (unit === undefined) throw broken('its amount has an unknown multiplier')
  const pico = BigInt(digits ?? 0) * unit
  if (pico % PICO_PER_MSAT !== 0n) throw broken('its amount is a part of a millisatoshi')
  const msat = pico / PICO_PER_MSAT
  if (msat > MAX_MSAT) throw broken('its amount is more than there is')
  return { network, amountMsat: msat === 0n ? undefined : msat }
}

interface Field {
  readonly tag: number
  readonly words: readonly number[]
}

function readFields(words: readonly number[]): readonly Field[] {
  const fields: Field[] = []
  for (let at = 0; at < words.length;) {
    const [tag = 0, high = 0, low = 0] = words.slice(at, at + FIELD_HEADER_WORDS)
    const start = at + FIELD_HEADER_WORDS
    at = start + high * 32 + low
    if (at > words.length) throw broken('its last field ends too early')
    fields.push({ tag, words: words.slice(start, at) })
  }
  return fields
}

/** The first field of that tag that has its right length; others are to be skipped (BOLT 11). */
function bytesOf(fields: readonly Field[], tag: number, length: number): Uint8Array | undefined {
  const field = fields.find((one) => one.tag === tag && one.words.length === length)
  return field && bytesOfWords(field.words, 'whole')
}

function numberOf(fields: readonly Field[], wanted: number): number | undefined {
  const field = fields.find(({ tag }) => tag === wanted)
  return field && numberOfWords(field.words)
}

const broken = (why: string): PinholeError =>
  new PinholeError('ERR_BOLT11_INVOICE', `this is no BOLT 11 invoice: ${why}`)
