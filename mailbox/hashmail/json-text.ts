/**
 * RFC 8259 text to a tree that remembers where things stood, so that a refusal can name line and column
 * and repeated names are seen (`JSON.parse` keeps neither). For small texts: depth and length are bounded
 * by the caller's limits and `MAX_DEPTH`. Runs in a browser.
 */

interface Place {
  readonly start: number
  readonly end: number
}

/** A value of the text. */
export type JsonValue = Place &
  (
    | { readonly kind: 'object'; readonly members: readonly JsonMember[] }
    | { readonly kind: 'array' }
    | { readonly kind: 'string'; readonly text: string }
    | { readonly kind: 'number'; readonly number: number }
    | { readonly kind: 'true' | 'false' | 'null' }
  )

/** A name and its value in an object. */
export interface JsonMember {
  readonly name: string
  readonly start: number
  readonly value: JsonValue
}

/** None of hashmail's messages is deeper than four. */
const MAX_DEPTH = 16
/** None has more than two fields; more than this in one object or array is not looked at. */
const MAX_ITEMS = 64
const MAX_SOURCE_CHARACTERS = 32

const BLANKS = /[ \t\r\n]*/y
const CONTROL = /[\u0000-\u001f]/
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
const WORD = /true|false|null/y

class Fault extends Error {}

/** Parses one whole text; `fault` says what is wrong with it, in protojson's words. */
export function parseJson(
  text: string,
): { readonly value: JsonValue } | { readonly fault: string } {
  const parser = new Parser(text)
  try {
    return { value: parser.whole() }
  } catch (reason) {
    if (reason instanceof Fault) return { fault: reason.message }
    throw reason
  }
}

/** Where `at` is in `text`, as Go's protojson words it: `line 1:179`. */
export function placeOf(text: string, at: number): string {
  let line = 1
  let lineStart = 0
  for (let i = text.indexOf('\n'); i >= 0 && i < at; i = text.indexOf('\n', i + 1)) {
    line++
    lineStart = i + 1
  }
  return `line ${line}:${at - lineStart + 1}`
}

/** Where the string that starts at `start` ends; 0 when it does not. */
function endOfString(text: string, start: number): number {
  const quote = text.indexOf('"', start + 1)
  if (quote < 0) return 0
  const backslash = text.indexOf('\\', start + 1)
  if (backslash < 0 || backslash > quote) return quote + 1
  for (let at = backslash; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === BACKSLASH) at++
    else if (code === QUOTE) return at + 1
  }
  return 0
}

const BACKSLASH = 0x5c
const QUOTE = 0x22

/** What a string with escapes stands for; `undefined` when one of them is none. */
function unescaped(source: string): string | undefined {
  try {
    return JSON.parse(source) as string
  } catch {
    return undefined
  }
}

class Parser {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  whole(): JsonValue {
    const value = this.#value(0)
    this.#blanks()
    if (this.#at < this.#text.length) throw this.#unexpected()
    return value
  }

  #value(depth: number): JsonValue {
    this.#blanks()
    const start = this.#at
    switch (this.#text[start]) {
      case '{': {
        const members = this.#list('}', depth, () => this.#member(depth))
        return { kind: 'object', members, ...this.#from(start) }
      }
      case '[':
        this.#list(']', depth, () => this.#value(depth + 1))
        return { kind: 'array', ...this.#from(start) }
      case '"': {
        const text = this.#string()
        return { kind: 'string', text, ...this.#from(start) }
      }
      default:
        return this.#scalar(start)
    }
  }

  #scalar(start: number): JsonValue {
    const word = this.#match(WORD)
    if (word === 'true' || word === 'false' || word === 'null') {
      return { kind: word, ...this.#from(start) }
    }
    const number = this.#match(NUMBER)
    if (number === undefined) throw this.#unexpected()
    return { kind: 'number', number: Number(number), ...this.#from(start) }
  }

  #list<T>(close: string, depth: number, item: () => T): T[] {
    if (depth >= MAX_DEPTH) throw new Fault('proto: exceeded max recursion depth')
    this.#at++
    const items: T[] = []
    this.#blanks()
    if (this.#text[this.#at] === close) {
      this.#at++
      return items
    }
    for (;;) {
      if (items.length >= MAX_ITEMS) throw new Fault('proto: too many fields')
      items.push(item())
      this.#blanks()
      const next = this.#text[this.#at]
      if (next !== ',' && next !== close) throw this.#unexpected()
      this.#at++
      if (next === close) return items
    }
  }

  #member(depth: number): JsonMember {
    this.#blanks()
    const start = this.#at
    if (this.#text[start] !== '"') throw this.#unexpected()
    const name = this.#string()
    this.#blanks()
    if (this.#text[this.#at] !== ':') throw this.#unexpected()
    this.#at++
    return { name, start, value: this.#value(depth + 1) }
  }

  /** By the plain search that strings have: a pattern takes 300 ms for the largest message. */
  #string(): string {
    const start = this.#at
    const text = this.#text
    const end = text[start] === '"' ? endOfString(text, start) : 0
    if (end === 0) throw this.#unexpected()
    const source = text.slice(start, end)
    const plain = source.includes('\\') ? unescaped(source) : source.slice(1, -1)
    if (plain === undefined || CONTROL.test(source)) throw this.#unexpected()
    this.#at = end
    return plain
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0]
    if (found !== undefined) this.#at += found.length
    return found
  }

  #blanks(): void {
    this.#match(BLANKS)
  }

  #from(start: number): Place {
    return { start, end: this.#at }
  }

  #unexpected(): Fault {
    const rest = this.#text.slice(this.#at, this.#at + MAX_SOURCE_CHARACTERS)
    const what = rest === '' ? 'unexpected EOF' : `unexpected token ${rest}`
    return new Fault(`proto: syntax error (${placeOf(this.#text, this.#at)}): ${what}`)
  }
}
