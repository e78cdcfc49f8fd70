/**
 * What caches may do with an answer that others have to pay for: nothing, but for the buyer's own (RFC 9111 §5.2.2.7).
 * A credential in a cookie or in `Macaroon` says nothing to a cache, and one in `Authorization` is overridden by
 * `public`, `s-maxage` and `must-revalidate` (§3.5): what one has bought would be served to everybody.
 */

/** Headers that speak to shared caches in particular, in lower case (RFC 9213, and what came before it). */
const FOR_SHARED_CACHES: ReadonlySet<string> = new Set([
  'cdn-cache-control',
  'surrogate-control',
  'x-accel-expires',
])

/** Whether a header, in lower case, is for caches. */
export const isForCaches = (name: string): boolean =>
  name === 'cache-control' || FOR_SHARED_CACHES.has(name)

// Directives between commas; a comma in quotes is none. Nothing follows, so nothing is tried twice.
const DIRECTIVES = /(?:[^,"]|"(?:[^"\\]|\\.)*"?)+/g
const OF_SHARED_CACHES = /^(?:public|s-maxage|private)\s*(?:=|$)/i

/** `Cache-Control` in place of the upstream's headers for caches: names and values in turn. */
export function privateCacheControl(fields: readonly string[]): string {
  const directives: string[] = []
  for (let i = 0; i + 1 < fields.length; i += 2) {
    if (fields[i]?.toLowerCase() !== 'cache-control') continue
    for (const [directive] of (fields[i + 1] ?? '').matchAll(DIRECTIVES)) {
      const text = directive.trim()
      if (text !== '' && !OF_SHARED_CACHES.test(text)) directives.push(text)
    }
  }
  return ['private', ...directives].join(', ')
}
