import type { Place } from './problem.ts'

/** A number, truth value or other non-text scalar together with the way it was written. */
export class Scalar {
  readonly value: unknown
  /** As written, so that a key that takes text gets `1.10` and not `1.1`. */
  readonly source: string

  constructor(value: unknown, source: string) {
    this.value = value
    this.source = source
  }
}

/** A place in the configuration: keys, and indices of lists. */
export type Path = readonly (string | number)[]

/** Values as read, nested maps and lists with scalars at the leaves, and where each was written. */
export interface Tree {
  readonly root: Record<string, unknown>
  readonly places: Places
}

/** Remembers for each path where its key and its value were written. */
export class Places {
  readonly #keys = new Map<string, Place>()
  readonly #values = new Map<string, Place>()
  readonly #spellings = new Map<string, string>()

  set(path: Path, key: Place, value: Place, written?: string): void {
    const id = JSON.stringify(path)
    this.#keys.set(id, key)
    this.#values.set(id, value)
    if (written !== undefined) this.#spellings.set(id, written)
  }

  /** Where the key at `path` was written, or the nearest thing around it. */
  key(path: Path): Place {
    return this.#find(this.#keys, path)
  }

  /** Where the value at `path` was written, or the nearest thing around it. */
  value(path: Path): Place {
    return this.#find(this.#values, path)
  }

  /** Dotted path in the spelling that was used: `services[2].price`, `sqlite.dbfile`. */
  name(path: Path): string {
    let name = ''
    for (let end = 1; end <= path.length; end++) {
      const last = path[end - 1] ?? ''
      const written = this.#spellings.get(JSON.stringify(path.slice(0, end))) ?? last
      name += typeof last === 'number' ? `[${last}]` : `${name === '' ? '' : '.'}${written}`
    }
    return name
  }

  /** Takes over all places of `other`, which win. */
  merge(other: Places): void {
    for (const [id, place] of other.#keys) this.#keys.set(id, place)
    for (const [id, place] of other.#values) this.#values.set(id, place)
    for (const [id, written] of other.#spellings) this.#spellings.set(id, written)
  }

  #find(places: ReadonlyMap<string, Place>, path: Path): Place {
    for (let end = path.length; end >= 0; end--) {
      const place = places.get(JSON.stringify(path.slice(0, end)))
      if (place) return place
    }
    return { kind: 'values' }
  }
}

/** Whether `value` is a map of the tree. */
export function isMap(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Scalar)
  )
}

/** `over` laid upon `under`: maps are merged, everything else is replaced. */
export function overlay(under: Tree, over: Tree): Tree {
  under.places.merge(over.places)
  return { root: overlayMaps(under.root, over.root), places: under.places }
}

function overlayMaps(
  under: Record<string, unknown>,
  over: Record<string, unknown>,
): Record<string, unknown> {
  // Without a prototype, so that no key of a file can be one of its names.
  const out = Object.create(null) as Record<string, unknown>
  Object.assign(out, under)
  for (const [key, value] of Object.entries(over)) {
    const below = out[key]
    out[key] = isMap(below) && isMap(value) ? overlayMaps(below, value) : value
  }
  return out
}
