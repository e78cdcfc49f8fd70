/**
 * HPACK encoding, RFC 7541 §6. Fields that repeat are put into the dynamic table, so that a call's
 * headers, macaroon included, take about ten bytes from the second call on: what Go's client does.
 *
 * Deviation: RFC 7541 §7.1.3 advises to send secrets as never-indexed literals, for they could be guessed
 * through the compressed length. Where a whole connection speaks for one client nobody else can put
 * fields into it, and 2 kB of macaroon in each call would cost more than the call. A connection that many
 * clients share names its secrets in `Literals`.
 */
import { concat } from '../base/bytes.ts'
import {
  DEFAULT_TABLE_BYTES,
  DynamicTable,
  STATIC_FIELDS,
  fieldBytes,
  type Field,
} from './hpack-table.ts'
import { huffmanEncode, huffmanLength } from './huffman.ts'

const staticFields = new Map<string, number>()
const staticNames = new Map<string, number>()
STATIC_FIELDS.forEach(([name, value], at) => {
  staticFields.set(`${name}\n${value}`, at + 1)
  if (!staticNames.has(name)) staticNames.set(name, at + 1)
})

/**
 * Names whose values are sent as they are: `passing` ones change with each request, `secret` ones must not
 * be put into any table on their way (RFC 7541 §6.2.2, §6.2.3).
 */
export type Literals = ReadonlyMap<string, 'passing' | 'secret'>

const NO_LITERALS: Literals = new Map()

/** Of the table, what one field may take; a larger one would push out more than it saves. */
const LARGEST_SHARE = 0.75
/** Keys remembered before those of dropped fields are cleared; at most 128 fields fit in 4096 bytes. */
const MAX_KNOWN = 512
const START_BYTES = 1_024
/** Most bytes of an integer: 28 bits, seven in each, behind the prefix. */
const INTEGER_BYTES = 6

/** Encodes the header blocks of one direction, in order. */
export class HpackEncoder {
  readonly #table = new DynamicTable()
  readonly #literals: Literals
  /** Insertion number of the fields that are (or were) in the table. */
  #known = new Map<string, number>()
  #announce: { smallest: number; last: number } | undefined
  /** The block under way, up to `#end`. */
  #bytes = new Uint8Array(START_BYTES)
  #end = 0
  /** Blocks that changed nothing in the table, good while no field has been inserted since. */
  #cache = new WeakMap<readonly Field[], { inserted: number; block: Uint8Array }>()

  constructor(literals: Literals = NO_LITERALS) {
    this.#literals = literals
  }

  /** Follows the peer's SETTINGS_HEADER_TABLE_SIZE; the next block announces it (RFC 7541 §4.2). */
  resize(peerBytes: number): void {
    const bytes = Math.min(peerBytes, DEFAULT_TABLE_BYTES)
    if (bytes === this.#table.maxBytes && !this.#announce) return
    this.#announce = { smallest: Math.min(bytes, this.#announce?.smallest ?? bytes), last: bytes }
    this.#table.resize(bytes)
    this.#cache = new WeakMap()
  }

  /**
   * The block of `fields`, then of `passing`, which are sent as literals and not remembered (deadlines).
   * The same `fields` array is encoded once as long as the table stays as it is.
   */
  encode(fields: readonly Field[], passing: readonly Field[] = []): Uint8Array {
    const size = this.#sizeUpdate()
    const block = this.#fields(fields)
    if (size.length === 0 && passing.length === 0) return block
    for (const field of passing) this.#literal(field, 0x00, 4, true)
    return concat(size, block, this.#finish())
  }

  #fields(fields: readonly Field[]): Uint8Array {
    const inserted = this.#table.inserted
    const cached = this.#cache.get(fields)
    if (cached?.inserted === inserted) return cached.block
    for (const field of fields) this.#field(field)
    const block = this.#finish()
    if (this.#table.inserted === inserted) this.#cache.set(fields, { inserted, block })
    return block
  }

  #sizeUpdate(): Uint8Array {
    if (this.#announce) {
      const { smallest, last } = this.#announce
      this.#announce = undefined
      if (smallest < last) this.#integer(0x20, 5, smallest)
      this.#integer(0x20, 5, last)
    }
    return this.#finish()
  }

  #field(field: Field): void {
    const literal = this.#literals.get(field[0])
    if (literal) return this.#literal(field, literal === 'secret' ? 0x10 : 0x00, 4, false)
    const key = `${field[0]}\n${field[1]}`
    const index = staticFields.get(key) ?? this.#indexOf(key)
    if (index !== undefined) return this.#integer(0x80, 7, index)
    if (fieldBytes(field) > this.#table.maxBytes * LARGEST_SHARE) {
      return this.#literal(field, 0x00, 4, true)
    }
    this.#literal(field, 0x40, 6, true)
    this.#table.insert(field)
    this.#remember(key)
  }

  #indexOf(key: string): number | undefined {
    const inserted = this.#known.get(key)
    return inserted === undefined ? undefined : this.#table.indexOf(inserted)
  }

  #remember(key: string): void {
    this.#known.set(key, this.#table.inserted)
    if (this.#known.size <= MAX_KNOWN) return
    this.#known = new Map([...this.#known].filter(([, n]) => this.#table.indexOf(n) !== undefined))
  }

  #literal([name, value]: Field, pattern: number, prefixBits: number, huffman: boolean): void {
    const index = staticNames.get(name)
    this.#integer(pattern, prefixBits, index ?? 0)
    if (index === undefined) this.#string(name, huffman)
    this.#string(value, huffman)
  }

  /** In Huffman code where that is wanted and shorter: it costs time that a value sent once does not repay. */
  #string(value: string, huffman: boolean): void {
    if (huffman) {
      const bytes = latin1(value)
      const short = huffmanLength(bytes)
      if (short < bytes.length) {
        this.#integer(0x80, 7, short)
        return this.#raw(huffmanEncode(bytes))
      }
    }
    this.#integer(0x00, 7, value.length)
    this.#reserve(value.length)
    writeLatin1(value, this.#bytes, this.#end)
    this.#end += value.length
  }

  #integer(pattern: number, prefixBits: number, value: number): void {
    this.#reserve(INTEGER_BYTES)
    const mask = (1 << prefixBits) - 1
    if (value < mask) {
      this.#bytes[this.#end++] = pattern | value
      return
    }
    this.#bytes[this.#end++] = pattern | mask
    let rest = value - mask
    for (; rest >= 0x80; rest >>>= 7) this.#bytes[this.#end++] = (rest & 0x7f) | 0x80
    this.#bytes[this.#end++] = rest
  }

  #raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#end)
    this.#end += bytes.length
  }

  #reserve(count: number): void {
    if (this.#end + count <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#end + count))
    grown.set(this.#bytes.subarray(0, this.#end))
    this.#bytes = grown
  }

  #finish(): Uint8Array {
    const block = this.#bytes.slice(0, this.#end)
    this.#end = 0
    return block
  }
}

function latin1(value: string): Uint8Array {
  const bytes = new Uint8Array(value.length)
  writeLatin1(value, bytes, 0)
  return bytes
}

function writeLatin1(value: string, into: Uint8Array, at: number): void {
  for (let i = 0; i < value.length; i++) into[at + i] = value.charCodeAt(i)
}
