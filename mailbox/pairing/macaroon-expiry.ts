/**
 * When the macaroon in the auth data expires: litd adds the caveat `time-before <RFC 3339>` with the end of
 * the session (LNC §13). Read from the binary format, version 2 (libmacaroons, "Macaroons v2"):
 *
 *     2 | fields: type varint, length varint, bytes … | 0 (end of section)    caveat identifiers are type 2
 */
import { fromHex, text } from '../../src/base/bytes.ts'

const VERSION_2 = 2
const END_OF_SECTION = 0
const IDENTIFIER = 2
const TIME_BEFORE =
  /^time-before (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d))$/

/** Earliest expiry of `macaroon` (hex) in milliseconds since 1970; `undefined` when it names none. */
export function macaroonExpiryMs(macaroon: string): number | undefined {
  const bytes = fromHex(macaroon)
  if (bytes?.[0] !== VERSION_2) return undefined
  let earliest: number | undefined
  for (const caveat of identifiers(bytes)) {
    const [, time] = TIME_BEFORE.exec(text(caveat)) ?? []
    // Date.parse takes milliseconds; lnd writes nanoseconds.
    const ms = time === undefined ? Number.NaN : Date.parse(time.replace(/(\.\d{3})\d+/, '$1'))
    if (!Number.isNaN(ms)) earliest = Math.min(earliest ?? ms, ms)
  }
  return earliest
}

/** Identifier fields; stops at the first that does not fit. */
function* identifiers(bytes: Uint8Array): Generator<Uint8Array> {
  let at = 1
  const varint = (): number => {
    let value = 0
    for (let scale = 1; scale < 2 ** 49; scale *= 128) {
      const byte = bytes[at++]
      if (byte === undefined) return Number.NaN
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
    return Number.NaN
  }
  while (at < bytes.length) {
    const type = varint()
    if (type === END_OF_SECTION) continue
    const length = varint()
    if (Number.isNaN(type + length) || at + length > bytes.length) return
    if (type === IDENTIFIER) yield bytes.subarray(at, at + length)
    at += length
  }
}
