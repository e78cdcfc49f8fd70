/** What came of a question, in words that two servers share, and where two of them differ. */
import { isDeepStrictEqual } from 'node:util'
import type { Operated } from './paywalls.ts'

const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g

/** `text` without what differs by chance, read as JSON where it is that. Ids keep their order of appearance. */
export function normal(text: string, { port, folder }: Operated): unknown {
  const ids = new Map<string, string>()
  const named = (id: string) => {
    const name = ids.get(id) ?? `<id ${ids.size + 1}>`
    ids.set(id, name)
    return name
  }
  const plain = text
    .replaceAll(`127.0.0.1:${port}`, '<self>')
    .replaceAll(folder, '<folder>')
    .replaceAll(/\b[0-9a-f]{64}\b/g, named)
    .replaceAll(TIME, '<time>')
  try {
    return JSON.parse(plain)
  } catch {
    return plain
  }
}

/**
 * Where `theirs` and `ours` differ, one line for each part; empty when nowhere. Members of objects that only ours
 * has are no difference where we may say more.
 */
export function differences(theirs: unknown, ours: unknown, mayAdd: boolean): string[] {
  return [...parts(theirs, ours, '')]
    .filter(({ added }) => !(added && mayAdd))
    .map(({ at, a, b }) => `${at}: ${show(a)} → ${show(b)}`)
}

const show = (value: unknown): string => JSON.stringify(value) ?? 'none'

interface Part {
  readonly at: string
  readonly a: unknown
  readonly b: unknown
  readonly added: boolean
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

function* parts(a: unknown, b: unknown, at: string, added = false): Generator<Part> {
  if (isDeepStrictEqual(a, b)) return
  if (!isObject(a) || !isObject(b) || Array.isArray(a) !== Array.isArray(b)) {
    return void (yield { at, a, b, added })
  }
  for (const name of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const isNew = !Array.isArray(a) && !Object.hasOwn(a, name)
    yield* parts(
      Reflect.get(a, name),
      Reflect.get(b, name),
      at === '' ? name : `${at}.${name}`,
      isNew,
    )
  }
}
