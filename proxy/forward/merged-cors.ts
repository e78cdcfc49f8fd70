/** CORS on a proxied answer: the paywall's table, with what the upstream allows in front of it. */
import { CORS_HEADERS } from '../cors.ts'

const ALLOW_ORIGIN = 'access-control-allow-origin'

const OURS: readonly string[] = Object.entries(CORS_HEADERS).flatMap(([name, value]) => [
  name,
  typeof value === 'string' ? value : value.join(', '),
])

const REPLACED: ReadonlySet<string> = new Set(
  Object.keys(CORS_HEADERS).map((name) => name.toLowerCase()),
)

/** Whether an upstream's header, in lower case, is replaced by one of `corsHeaders`. */
export function isCorsHeader(name: string): boolean {
  return REPLACED.has(name)
}

/**
 * The headers, as a flat list of names and values. `upstream` has the upstream's fields in the same form:
 * its list members come first, then ours, each once whatever its case; its `Allow-Origin` does not count.
 */
export function corsHeaders(upstream?: readonly string[]): readonly string[] {
  if (!upstream || upstream.length === 0) return OURS
  const fields: string[] = []
  for (let i = 0; i + 1 < OURS.length; i += 2) {
    const name = OURS[i] ?? ''
    const ours = OURS[i + 1] ?? ''
    const isList = name.toLowerCase() !== ALLOW_ORIGIN
    fields.push(name, isList ? merged(upstream, name.toLowerCase(), ours) : ours)
  }
  return fields
}

function merged(fields: readonly string[], name: string, ours: string): string {
  const members = new Map<string, string>()
  const add = (line: string) => {
    for (const part of line.split(',')) {
      const member = part.trim()
      const key = member.toLowerCase()
      if (member !== '' && !members.has(key)) members.set(key, member)
    }
  }
  for (let i = 0; i + 1 < fields.length; i += 2) {
    if (fields[i]?.toLowerCase() === name) add(fields[i + 1] ?? '')
  }
  add(ours)
  return [...members.values()].join(', ')
}
