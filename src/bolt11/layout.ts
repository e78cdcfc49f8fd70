/** How the data of a BOLT 11 invoice is laid out, in words of five bits. */

/** Seconds since 1970, first of all. */
export const TIMESTAMP_WORDS = 7
/** 64 bytes and the recovery id, last of all. */
export const SIGNATURE_WORDS = 104
/** A field's tag and the two words of its length. */
export const FIELD_HEADER_WORDS = 3

/** Numbers of the tagged fields. */
export const Tag = {
  paymentHash: 1,
  features: 5,
  expiry: 6,
  description: 13,
  paymentSecret: 16,
  payee: 19,
  descriptionHash: 23,
  minFinalCltvExpiry: 24,
} as const
