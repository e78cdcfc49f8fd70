/**
 * HPACK encoding, RFC 7541 §6. Fields that repeat are put into the dynamic table, so that a call's
 * headers, macaroon included, take about ten bytes from the second call on: what Go's client does.
 *
 * Deviation: RFC 7541 §7.1.3 advises to send secrets as never-indexed literals, for they could be guessed
 * through the compressed length. The whole connection speaks for one client and nobody else can put
 * fields into it, and 2 kB of macaroon in each call would cost more than the call.
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

/** Of the table, what one field may take; a larger one would push out more than it saves. */
const LARGEST_SHARE = 0.75
/** Keys remembered before those of dropped fields are cleared; at most 128 fields fit in 4096 bytes. */
const MAX_KNOWN = 512

/** Encodes the header blocks of one direction, in order. */
export class HpackEncoder {
  readonly #table = new DynamicTable()
  /** Insertion number of the fields that are (or were) in the table. */
  #known = new Map<string, number>()
  #announce: { smallest: number; last: number } | undefined
  #out: number[] = []
  #pieces: Uint8Array[] = []
  /** Blocks that changed nothing in the table, good while no field has been inserted since. */
  #cache = new WeakMap<readonly Field[], { inserted: number; block: Uint8Array }>()

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
    for (const field of passing) this.#literal(field, 0x00, 4)
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
    const key = `${field[0]}\n${field[1]}`
    const index = staticFields.get(key) ?? this.#indexOf(key)
    if (index !== undefined) return this.#integer(0x80, 7, index)
    if (fieldBytes(field) > this.#table.maxBytes * LARGEST_SHARE)
      return this.#literal(field, 0x00, 4)
    this.#literal(field, 0x40, 6)
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

  #literal([name, value]: Field, pattern: number, prefixBits: number): void {
    const index = staticNames.get(name)
    this.#integer(pattern, prefixBits, index ?? 0)
    if (index === undefined) this.#string(name)
    this.#string(value)
  }

  #string(value: string): void {
    const bytes = latin1(value)
    const short = huffmanLength(bytes)
    const huffman = short < bytes.length
    this.#integer(huffman ? 0x80 : 0x00, 7, huffman ? short : bytes.length)
    this.#flush()
    this.#pieces.push(huffman ? huffmanEncode(bytes) : bytes)
  }

  #integer(pattern: number, prefixBits: number, value: number): void {
    const mask = (1 << prefixBits) - 1
    if (value < mask) {
      this.#out.push(pattern | value)
      return
    }
    this.#out.push(pattern | mask)
    let rest = value - mask
    for (; rest >= 0x80; rest >>>= 7) this.#out.push((rest & 0x7f) | 0x80)
    this.#out.push(rest)
  }

  #flush(): void {
    if (this.#out.length === 0) return
    this.#pieces.push(Uint8Array.from(this.#out))
    this.#out = []
  }

  #finish(): Uint8Array {
    this.#flush()
    const block = concat(...this.#pieces)
    this.#pieces = []
    return block
  }
}

function latin1(value: string): Uint8Array {
  const bytes = new Uint8Array(value.length)
  for (let i = 0; i < value.length; i++) bytes[i] = value.charCodeAt(i)
  return bytes
}
