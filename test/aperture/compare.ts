/** Asks two proxies the same and lists where their answers differ. */
import { isDeepStrictEqual } from 'node:util'
import type { Case, Means } from './cases/request.ts'
import type { Places } from './config.ts'
import { exchange } from './exchange.ts'
import { normal, type Normal } from './normal.ts'

/** A proxy that runs, and tokens that were bought from it. */
export interface Proxy {
  readonly places: Pick<Places, 'port' | 'h1' | 'h2' | 'dead'>
  readonly means: Means
}

/** The answer of one proxy to one case. */
export async function ask({ places, means }: Proxy, { request }: Case): Promise<Normal> {
  const made = typeof request === 'function' ? request(means) : request
  return normal(await exchange(places.port, made), places)
}

/** Where `theirs` and `ours` differ, one line for each part; empty when nowhere. */
export function differences(theirs: Normal, ours: Normal): string[] {
  const lines: string[] = []
  const compare = (what: string, a: unknown, b: unknown): void => {
    if (!isDeepStrictEqual(a, b)) lines.push(`${what}: ${show(a)} → ${show(b)}`)
  }
  compare('status', theirs.status, ours.status)
  for (const name of new Set([...Object.keys(theirs.headers), ...Object.keys(ours.headers)])) {
    compare(name, theirs.headers[name], ours.headers[name])
  }
  for (const [name, a, b] of parts(theirs.body, ours.body)) compare(`body${name}`, a, b)
  compare('trailers', sorted(theirs.trailers), sorted(ours.trailers))
  compare('interim', theirs.interim, ours.interim)
  compare('end', theirs.broken, ours.broken)
  return lines
}

const show = (value: unknown): string => (value === undefined ? 'none' : JSON.stringify(value))

const sorted = (record: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)))

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** What is to be compared of two bodies: their members, all the way down, when both are JSON objects. */
function* parts(a: unknown, b: unknown, path = ''): Generator<[string, unknown, unknown]> {
  if (!isRecord(a) || !isRecord(b)) return void (yield [path, a, b])
  for (const name of new Set([...Object.keys(a), ...Object.keys(b)])) {
    yield* parts(a[name], b[name], `${path}.${name}`)
  }
}
