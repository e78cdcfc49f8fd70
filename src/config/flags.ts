/** Keys given on the command line, as a tree that is laid over the file's. */
import { parseDocument, isScalar } from 'yaml'
import { flagNames, KEYS } from './keys.ts'
import { isMap, type Path, Places, Scalar, type Tree } from './tree.ts'

/** Values by flag name without dashes, e.g. `{ 'hashmail.enabled': true, blocklist: ['1.2.3.4'] }`. */
export type Flags = Readonly<Record<string, string | boolean | readonly string[]>>

/** The tree of `flags`; a name that is no key is a programming mistake. */
export function readFlags(flags: Flags): Tree {
  const root: Record<string, unknown> = {}
  const places = new Places()
  for (const [flag, given] of Object.entries(flags)) {
    const key = KEYS.find((candidate) => flagNames(candidate).includes(flag))
    if (!key) throw new TypeError(`no key of the configuration is called ${flag}`)
    const place = { kind: 'flag', flag: `--${flag}` } as const
    places.set(key.path, place, place)
    set(root, key.path, readValue(given))
  }
  return { root, places }
}

function readValue(given: Flags[string]): unknown {
  if (typeof given === 'boolean') return given
  if (typeof given !== 'string') return [...given]
  // As YAML would read it, so that numbers and truth values are what they look like.
  const { contents } = parseDocument(given, { logLevel: 'silent' })
  if (!isScalar(contents) || typeof contents.value === 'string') return given
  return new Scalar(contents.value, given)
}

function set(root: Record<string, unknown>, path: Path, value: unknown): void {
  let section = root
  for (const name of path.slice(0, -1)) {
    const below = section[name]
    const next = isMap(below) ? below : {}
    section[name] = next
    section = next
  }
  section[path.at(-1) ?? ''] = value
}
