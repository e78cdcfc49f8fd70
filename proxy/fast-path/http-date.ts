const SECOND_MS = 1_000

let second = -1
let text = ''

/** `Date` of an answer (RFC 9110 §5.6.7), which is made once in a second; `wallMs` is since 1970. */
export function httpDate(wallMs: number): string {
  const now = Math.floor(wallMs / SECOND_MS)
  if (now === second) return text
  second = now
  text = new Date(now * SECOND_MS).toUTCString()
  return text
}
