/**
 * Values of the admin API's JSON: names in snake_case, 64-bit integers as decimal text, ids and hashes in hex,
 * times as RFC 3339 in UTC. Whoever sends may give a whole number for a 64-bit integer.
 */
import { z } from 'zod'

const WHOLE = 'must be a whole number'

/** A whole number of 64 bits as decimal text; a safe integer is taken as well. */
export const int64 = z
  .union(
    [z.string().regex(/^-?\d{1,19}$/, WHOLE), z.int(WHOLE)],
    // Also when it is missing.
    WHOLE,
  )
  .transform(String)

/** A time, such as `2026-01-31T12:00:00Z`. */
export const time = z.iso.datetime({
  offset: true,
  error: 'must be a time such as 2026-01-31T12:00:00Z',
})

/**
 * A time, or empty for none, of a request. Only the document says so: the operations refuse what is no time in
 * Aperture's words.
 */
export const timeOrNothing = z
  .string()
  .default('')
  .meta({
    anyOf: [
      { type: 'string', const: '' },
      { type: 'string', format: 'date-time' },
    ],
  })

/** Text of this form, by the document alone: the operations refuse what is not in Aperture's words. */
export const shaped = (pattern: string) => z.string().meta({ pattern })

/** Bytes in hex. */
export const hex = z.string().regex(/^([0-9a-f]{2})*$/i, 'must be hex')

/** Longest part of a list. */
const MAX_PAGE = 1_000

/** Which part of a list: at most 1,000 entries whatever is asked for, and 50 without a limit (Aperture). */
export const page = {
  limit: z.coerce
    .number('must be a whole number')
    .int('must be a whole number')
    .default(0)
    .transform((limit) => Math.min(Math.max(0, limit), MAX_PAGE)),
  offset: z.coerce
    .number('must be a whole number')
    .int('must be a whole number')
    .min(0, 'offset must be >= 0')
    .default(0),
}

/** A flag of a query string. */
export const flag = z
  .union([z.boolean(), z.enum(['true', 'false', '1', '0', ''])])
  .transform((value) => value === true || value === 'true' || value === '1' || value === '')
