/** Go's duration strings (`time.ParseDuration`), which Aperture's configuration is written in. */

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
}

const WHOLE = /^([+-]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/
const PART = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g

/** Go keeps durations in 63 bits of nanoseconds: a little over 292 years. */
const MAX_DURATION_MS = 2 ** 63 / 1e6

/** Milliseconds of a Go duration such as `30s`, `1h30m`, `-1s` or `0`; `undefined` when it is none. */
export function parseDuration(text: string): number | undefined {
  if (/^[+-]?0$/.test(text)) return 0
  const [, sign, parts] = WHOLE.exec(text) ?? []
  if (parts === undefined) return undefined
  let ms = 0
  for (const [, amount, unit] of parts.matchAll(PART)) {
    ms += Number(amount) * (UNIT_MS[unit ?? ''] ?? Number.NaN)
  }
  if (!(ms <= MAX_DURATION_MS)) return undefined
  return sign === '-' ? -ms : ms
}

/** A duration in milliseconds as a person writes it: `1h30m`, `15s`, `250ms`. */
export function formatDuration(ms: number): string {
  if (ms < 0) return `-${formatDuration(-ms)}`
  if (ms < 1_000) return ms === 0 ? '0s' : `${ms}ms`
  const hours = Math.floor(ms / 3_600_000)
  const minutes = Math.floor((ms % 3_600_000) / 60_000)
  const seconds = (ms % 60_000) / 1_000
  const named = (count: number, unit: string) => (count > 0 ? `${count}${unit}` : '')
  return named(hours, 'h') + named(minutes, 'm') + named(seconds, 's')
}
