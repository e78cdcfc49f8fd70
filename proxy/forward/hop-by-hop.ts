/**
 * Headers that are between two neighbours and go no further (RFC 9110 §7.6.1), and those that `Connection`
 * names as such. The list is that of Go's reverse proxy, with HTTP2-Settings of the old h2c upgrade.
 */

const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'proxy-connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
])

/** What `Connection` may say without naming a header, and the header without which a message has no end. */
const KEPT: ReadonlySet<string> = new Set(['close', 'content-length'])

/** Whether a header, in lower case, ends at the next neighbour. */
export function isHopByHop(name: string): boolean {
  return HOP_BY_HOP.has(name)
}

/** The headers, in lower case, that a `Connection` line takes out; `undefined` for the usual ones. */
export function connectionNames(line: string): ReadonlySet<string> | undefined {
  if (line === 'keep-alive' || line === 'close') return undefined
  const names = new Set<string>()
  for (const part of line.split(',')) {
    const name = part.trim().toLowerCase()
    if (name !== '' && !HOP_BY_HOP.has(name) && !KEPT.has(name)) names.add(name)
  }
  return names.size > 0 ? names : undefined
}

/** Takes the headers of `names` out of a flat list of names and values. */
export function without(fields: readonly string[], names: ReadonlySet<string>): string[] {
  const left: string[] = []
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = fields[i] ?? ''
    if (!names.has(name.toLowerCase())) left.push(name, fields[i + 1] ?? '')
  }
  return left
}

/** Whether one of the members of a list header is `member`, in any case. */
export function listHas(line: string, member: string): boolean {
  return line.split(',').some((part) => part.trim().toLowerCase() === member)
}
