/** For which paths a token is worth showing before the server has asked for one. */

/** How well paths at which a token was wanted before speak for `path`; 0 is not at all. */
export function closeness(paths: readonly string[], path: string): number {
  return Math.max(0, ...paths.map((known) => closenessOf(known, path)))
}

/**
 * The path itself, what is below it, and what is beside it; but for the top, where services lie beside each
 * other, and one's token should not go to the next.
 */
function closenessOf(known: string, path: string): number {
  if (known === path) return Infinity
  if (path.startsWith(known.endsWith('/') ? known : `${known}/`)) return known.length
  const folder = known.slice(0, known.lastIndexOf('/') + 1)
  return folder.length > 1 && path.startsWith(folder) ? folder.length : 0
}
