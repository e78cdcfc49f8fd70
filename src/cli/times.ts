/** Times as a command line takes them: a date, a time, or how long ago. */
import { PinholeError } from '../base/errors.ts'
import { parseDuration } from '../config/duration.ts'

const DAY_MS = 86_400_000

/** Milliseconds of `30d`, `2w`, `1y` (365 days) or a duration such as `1h30m`; `undefined` when it is none. */
export function spanMs(text: string): number | undefined {
  const [, count, unit = ''] = /^(\d{1,6})([dwy])$/.exec(text) ?? []
  if (count === undefined) {
    const ms = parseDuration(text)
    return ms !== undefined && ms > 0 ? ms : undefined
  }
  const days = { d: 1, w: 7, y: 365 }[unit] ?? 0
  return Number(count) * days * DAY_MS || undefined
}

/** Options of a time span. */
export interface SpanOptions {
  readonly from?: string
  readonly to?: string
}

/** What the help says of `--from` and `--to`. */
export const TIME_WORDS = '2026-01-31, 2026-01-31T12:00:00Z or 30d ago'

/**
 * Both ends of a span as RFC 3339, or two empty texts. One that is left out is the beginning of time or now; a date is
 * the whole day in UTC.
 *
 * @throws ERR_CLI_USAGE
 */
export function readSpan({ from, to }: SpanOptions, nowMs: number): { from: string; to: string } {
  if (from === undefined && to === undefined) return { from: '', to: '' }
  return {
    from: iso(from === undefined ? 0 : readTime('--from', from, nowMs)),
    to: iso(to === undefined ? nowMs : readTime('--to', to, nowMs, DAY_MS - 1)),
  }
}

const iso = (ms: number): string => new Date(ms).toISOString()

function readTime(flag: string, text: string, nowMs: number, dayMs = 0): number {
  const ago = spanMs(text)
  if (ago !== undefined) return nowMs - ago
  const isDay = /^\d{4}-\d\d-\d\d$/.test(text)
  const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)$/.test(text)
  const ms = isDay || isTime ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(ms)) return ms + (isDay ? dayMs : 0)
  throw new PinholeError(
    'ERR_CLI_USAGE',
    `${flag} must be a time such as ${TIME_WORDS}, not ${text}`,
  )
}
