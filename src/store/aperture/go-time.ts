/** Times as Go's SQLite driver writes them: the text of `time.Time.String()`. */

// 2006-01-02 15:04:05.999999999 +0000 UTC, and the ISO forms that the driver reads as well.
const GO_TIME =
  /^(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(?: ?(Z|[+-]\d{2}:?\d{2}))?(?: [A-Za-z0-9+-]+)?(?: m=[+-][\d.]+)?$/

/** Milliseconds since 1970, rounded down; `undefined` for anything that is no such time. */
export function parseGoTime(text: unknown): number | undefined {
  const [, day, time, fraction = '', zone = 'Z'] = GO_TIME.exec(String(text)) ?? []
  if (day === undefined || time === undefined) return undefined
  const colon = zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone
  const ms = Date.parse(`${day}T${time}.${fraction.padEnd(3, '0').slice(0, 3)}${colon}`)
  return Number.isNaN(ms) ? undefined : ms
}
