/** The signature of a BOLT 11 invoice: over its prefix as text and its data as bytes, and whose it is. */
import { createHash } from 'node:crypto'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { bech32 } from '@scure/base'
import { PinholeError } from '../base/errors.ts'
import { utf8 } from '../base/bytes.ts'
import { MAX_INVOICE_LENGTH } from './decode.ts'
import { SIGNATURE_WORDS } from './layout.ts'
import { bytesOfWords, wordsOfBytes } from './words.ts'

/** SHA-256 of what is signed: the prefix, then the words filled up to whole bytes. */
const digest = (prefix: string, words: readonly number[]): Uint8Array =>
  createHash('sha256').update(utf8(prefix)).update(bytesOfWords(words, 'fill')).digest()

/** The signature as words. */
export function sign(prefix: string, words: readonly number[], privateKey: Uint8Array): number[] {
  const options = { prehash: false, format: 'recovered' } as const
  const signature = secp256k1.sign(digest(prefix, words), privateKey, options)
  // noble puts the recovery id first, BOLT 11 last.
  return wordsOfBytes(Uint8Array.of(...signature.subarray(1), signature[0] ?? 0))
}

/**
 * The public key of whoever signed the invoice, 33 bytes. Throws `ERR_BOLT11_INVOICE` when nobody can have
 * signed it. An invoice that names its payee (`DecodedInvoice.payee`) must name this one.
 */
export function payeeOf(paymentRequest: string): Uint8Array {
  try {
    const { prefix, words } = bech32.decode(asBech32(paymentRequest), MAX_INVOICE_LENGTH)
    const signature = bytesOfWords(words.slice(-SIGNATURE_WORDS), 'whole')
    const recovered = Uint8Array.of(signature[64] ?? 0, ...signature.subarray(0, 64))
    const signed = digest(prefix, words.slice(0, -SIGNATURE_WORDS))
    return Uint8Array.from(secp256k1.recoverPublicKey(recovered, signed, { prehash: false }))
  } catch (cause) {
    throw new PinholeError('ERR_BOLT11_INVOICE', 'the signature of the invoice is broken', {
      cause,
    })
  }
}

/** The type that `bech32.decode` wants: a text with a separator in it. */
function asBech32(text: string): `${string}1${string}` {
  const at = text.lastIndexOf('1')
  return `${text.slice(0, Math.max(at, 0))}1${text.slice(at + 1)}`
}
