/**
 * Paths of requests, decoded as Go's `URL.Path`. A path that the upstream could understand otherwise than
 * we do is refused, or comes with every other way to read it, so that nobody is matched as one resource
 * and served another.
 */
import { isUtf8 } from 'node:buffer'

/** A path, read. */
export interface ReadPath {
  /** Percent-decoded. */
  readonly path: string
  /** What else an upstream may take it for; empty for an ordinary path. */
  readonly readings: readonly string[]
}

/** Why a request is refused. */
export interface Refused {
  readonly refused: string
}

/**
 * Longest path that may have several readings: each is tried on every pattern, which must stay cheap. An
 * ordinary path is bounded by what the header may hold.
 */
const MAX_AMBIGUOUS_CHARACTERS = 4_096

// No escape, no empty segment, no segment that begins with a dot, no parameter: decoding changes nothing.
const ORDINARY = /^(?:\/[\w\-~!$&'()*+,=:@][\w\-.~!$&'()*+,=:@]*)*\/?$/
const BAD_ESCAPE = /%(?![0-9a-fA-F]{2})/
const CONTROL = /[\x00-\x1f\x7f]/
// Some servers take `..;x` for `..`: a parameter ends the name of a segment.
const DOT_SEGMENT = /(?:^|\/)\.{1,2}(?:;[^/]*)?(?:\/|$)/

/** `raw` percent-decoded; `undefined` when that is no UTF-8. */
function decode(raw: string): string | undefined {
  if (!raw.includes('%')) return raw
  const bytes = Buffer.from(
    raw.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  )
  return isUtf8(bytes) ? bytes.toString('utf8') : undefined
}

// Encoded slashes, empty segments, parameters: without these there is but one reading.
const SEVERAL_READINGS = /\/\/|;|%2f|%3b/i
const PARAMETERS = /;[^/]*/g
const ENCODED_PARAMETERS = /(?:;|%3b)[^/]*/gi
const mergedSlashes = (path: string) => path.replace(/\/{2,}/g, '/')

/**
 * The other ways in which servers read paths: encoded slashes kept as they are, parameters of segments
 * dropped before or after decoding, empty segments dropped, and all of these together.
 */
function otherReadings(raw: string, path: string): string[] {
  const readings = new Set<string>()
  const spellings = [raw, raw.replace(PARAMETERS, ''), raw.replace(ENCODED_PARAMETERS, '')]
  for (const spelling of new Set(spellings)) {
    for (const slashes of [spelling, spelling.replace(/%(2f)/gi, '%25$1')]) {
      const decoded = decode(slashes) ?? path
      for (const reading of [decoded, decoded.replace(PARAMETERS, '')]) {
        readings.add(reading).add(mergedSlashes(reading))
      }
    }
  }
  readings.delete(path)
  return [...readings]
}

/** Reads the path of a request's target, which is printable ASCII. Takes linear time. */
export function readPath(raw: string): ReadPath | Refused {
  if (ORDINARY.test(raw)) return { path: raw, readings: [] }
  if (BAD_ESCAPE.test(raw))
    return { refused: 'the path has an escape that is not % and two digits' }
  const path = decode(raw)
  if (path === undefined) return { refused: 'the path is no UTF-8' }
  if (CONTROL.test(path)) return { refused: 'the path has control characters' }
  if (path.includes('\\')) return { refused: 'the path has a backslash' }
  if (DOT_SEGMENT.test(path)) return { refused: 'the path has dot segments' }
  const readings = SEVERAL_READINGS.test(raw) ? otherReadings(raw, path) : []
  if (readings.length > 0 && raw.length > MAX_AMBIGUOUS_CHARACTERS) {
    return { refused: 'the path is too long to have encoded slashes, empty segments or parameters' }
  }
  return { path, readings }
}
