/** Reads YAML into a tree that remembers line and column of every key and value. */
import {
  type Alias,
  type Document,
  isAlias,
  isMap as isYamlMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type Pair,
  type YAMLMap,
} from 'yaml'
import { configError, type Place, type Problem } from './problem.ts'
import { OTHER_SPELLINGS, sectionId } from './schema.ts'
import { type Path, Places, Scalar, type Tree } from './tree.ts'

/** Deeper than any key lies, and shallow enough for the stack. */
const MAX_DEPTH = 32
/** Nodes that aliases may expand to in all, against documents that multiply themselves. */
const MAX_NODES = 100_000

/**
 * The tree of the YAML text `source`; `file` is how errors call it.
 * Throws `ERR_CONFIG_SYNTAX` with every place where the text is no YAML.
 */
export function readDocument(source: string, file: string): Tree {
  const lines = new LineCounter()
  const document = parseDocument(source, { lineCounter: lines, merge: true, prettyErrors: false })
  const place = (offset: number): Place => {
    const { line, col } = lines.linePos(offset)
    return { kind: 'file', file, line: Math.max(line, 1), column: Math.max(col, 1) }
  }
  const faults = [...document.errors, ...document.warnings]
  if (faults.length > 0) {
    throw configError(
      faults.map(({ pos, message }) => {
        return { code: 'ERR_CONFIG_SYNTAX', place: place(pos[0]), key: '', text: plain(message) }
      }),
    )
  }
  return new Reader(document, place).read()
}

/** What the YAML library says, in words of the file instead of its own API. */
function plain(message: string): string {
  if (message.startsWith('Unresolved tag: ')) return 'put quotes around a value that begins with !'
  if (!message.startsWith('Source contains multiple documents')) return message
  return 'begins a second document: a configuration is one, so leave this line and what follows out, or join them'
}

class Reader {
  readonly #document: Document.Parsed
  readonly #place: (offset: number) => Place
  readonly #places = new Places()
  readonly #problems: Problem[] = []
  #nodes = 0

  constructor(document: Document.Parsed, place: (offset: number) => Place) {
    this.#document = document
    this.#place = place
  }

  read(): Tree {
    const { contents } = this.#document
    const top = this.#place(contents?.range[0] ?? 0)
    this.#places.set([], top, top)
    const empty = contents === null || (isScalar(contents) && contents.value === null)
    if (!empty && !isYamlMap(contents)) {
      this.#fail(top, '', 'must hold keys and values such as "listenaddr: localhost:8081"')
    }
    const root = isYamlMap(contents) ? this.#map(contents, []) : {}
    if (this.#problems.length > 0) throw configError(this.#problems)
    return { root, places: this.#places }
  }

  #fail(place: Place, key: string, text: string): void {
    this.#problems.push({ code: 'ERR_CONFIG_SYNTAX', place, key, text })
  }

  #value(node: Node, path: Path): unknown {
    this.#nodes++
    if (path.length > MAX_DEPTH || this.#nodes > MAX_NODES) {
      if (this.#problems.length === 0) this.#fail(this.#at(node), '', 'is nested too deeply')
      return undefined
    }
    if (isAlias(node)) {
      const target = this.#target(node)
      return target ? this.#value(target, path) : undefined
    }
    if (isYamlMap(node)) return this.#map(node, path)
    if (isSeq(node)) return this.#list(node.items, path)
    if (!isScalar(node)) return undefined
    if (typeof node.value === 'string') return node.value
    return new Scalar(node.value, node.source ?? String(node.value))
  }

  #list(items: readonly unknown[], path: Path): unknown[] {
    return items.map((item, index) => {
      const at = this.#at(item as Node)
      this.#places.set([...path, index], at, at)
      return this.#value(item as Node, [...path, index])
    })
  }

  #map(map: YAMLMap, path: Path): Record<string, unknown> {
    const out = Object.create(null) as Record<string, unknown>
    const spellings = spellingsAt(path)
    const merged: (Node | null)[] = []
    for (const pair of map.items as Pair<Node, Node | null>[]) {
      const written = isScalar(pair.key) ? (pair.key.source ?? String(pair.key.value)) : ''
      if (written === '<<') merged.push(pair.value)
      // As in Compose, a place for anchors; what refers to them is read where it refers.
      else if (path.length === 0 && written.startsWith('x-')) continue
      else this.#pair(pair, written, spellings.get(written) ?? written, path, out)
    }
    for (const node of merged) this.#merge(node, path, out)
    return out
  }

  #pair(
    { key, value }: Pair<Node, Node | null>,
    written: string,
    name: string,
    path: Path,
    out: Record<string, unknown>,
  ): void {
    const here = [...path, name]
    const at = this.#at(key)
    if (Object.hasOwn(out, name)) {
      this.#fail(at, written, `is another spelling of a key that is there already`)
    }
    this.#places.set(here, at, value ? this.#at(value) : at, written)
    // A key without a value is a key that was not set, as in Go.
    if (value === null || (isScalar(value) && value.value === null)) return
    out[name] = this.#value(value, here)
  }

  #merge(node: Node | null, path: Path, out: Record<string, unknown>): void {
    const target = isAlias(node) ? this.#target(node) : node
    const maps = isSeq(target) ? target.items : [target]
    for (const item of maps) {
      const source = isAlias(item) ? this.#target(item) : item
      if (!isYamlMap(source)) continue
      for (const [key, value] of Object.entries(this.#map(source, path))) {
        if (!Object.hasOwn(out, key)) out[key] = value
      }
    }
  }

  #target(alias: Alias): Node | undefined {
    const target = alias.resolve(this.#document)
    // Left out without a word, a price would become another one.
    if (!target)
      this.#fail(this.#at(alias), '', `there is no &${alias.source} before this *${alias.source}`)
    return target
  }

  #at(node: Node): Place {
    return this.#place(node.range?.[0] ?? 0)
  }
}

function spellingsAt(path: Path): ReadonlyMap<string, string> {
  const id = sectionId(path)
  return new Map(
    Object.hasOwn(OTHER_SPELLINGS, id) ? Object.entries(OTHER_SPELLINGS[id] ?? {}) : [],
  )
}
