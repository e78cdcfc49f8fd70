/** The path toward the upstream: what was matched, byte for byte, behind the service's prefix. */

/**
 * The prefix in the form that paths are put behind: one slash in front, none at the end, none doubled, as
 * Go's `URL.JoinPath` leaves it. Empty when there is nothing to put in front.
 */
export function cleanPrefix(prefix: string): string {
  const parts = prefix.split('/').filter((part) => part !== '' && part !== '.')
  return parts.length === 0 ? '' : `/${parts.join('/')}`
}

/**
 * What stands in the request line toward the upstream. Nothing in `url` is cleaned, or the upstream would
 * see another path than the one that was paid for; `*` (RFC 9110 §9.3.7) has no path to put a prefix to.
 */
export function upstreamPath(prefix: string, url: string): string {
  return prefix === '' || url === '*' ? url : prefix + url
}
