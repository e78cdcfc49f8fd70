/** Times as text. */

const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/

/** A time of RFC 3339 with its seconds and zone, in milliseconds since 1970; `undefined` for any other text. */
export function parseTime(text: string): number | undefined {
  const ms = RFC3339.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(ms) ? undefined : ms
}
