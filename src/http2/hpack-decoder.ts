/**
 * HPACK decoding, RFC 7541 §6: one header block to a list of fields. Every length is checked against the
 * list's limit before a string is made.
 */
import { Http2Code, Http2Error } from './error.ts'
import {
  DEFAULT_TABLE_BYTES,
  DynamicTable,
  ENTRY_OVERHEAD_BYTES,
  fieldBytes,
  type Field,
} from './hpack-table.ts'
import { huffmanDecode } from './huffman.ts'

/** Arguments that `String.fromCharCode` gets at once. */
const CHARACTERS_AT_ONCE = 4096
/** Integers beyond this are refused; no index, length or table size comes near (RFC 7541 §5.1). */
const MAX_INTEGER = 2 ** 28

/** Decodes the header blocks of one direction, in order: each may change the dynamic table. */
export class HpackDecoder {
  readonly #table = new DynamicTable()
  readonly #maxListBytes: number
  #block: Uint8Array = new Uint8Array(0)
  #at = 0
  #left = 0

  /** `maxListBytes` bounds names, values and 32 bytes for each field (RFC 9113 §10.5.1). */
  constructor(maxListBytes: number) {
    this.#maxListBytes = maxListBytes
  }

  /** The fields of one complete block. Throws `Http2Error`, after which the connection is lost. */
  decode(block: Uint8Array): Field[] {
    this.#block = block
    this.#at = 0
    this.#left = this.#maxListBytes
    const fields: Field[] = []
    while (this.#at < block.length) {
      const first = block[this.#at] ?? 0
      if ((first & 0xe0) === 0x20) {
        if (fields.length > 0) throw compression('a table size update after a field')
        this.#resize(this.#integer(5))
        continue
      }
      const field = first >= 0x80 ? this.#indexed() : this.#literal(first)
      this.#left -= fieldBytes(field)
      if (this.#left < 0) throw tooLong()
      fields.push(field)
    }
    return fields
  }

  #resize(bytes: number): void {
    if (bytes > DEFAULT_TABLE_BYTES) throw compression(`a table of ${bytes} bytes`)
    this.#table.resize(bytes)
  }

  #indexed(): Field {
    return this.#lookUp(this.#integer(7))
  }

  /** RFC 7541 §6.2: with indexing (01), without (0000), never indexed (0001). */
  #literal(first: number): Field {
    const indexing = (first & 0xc0) === 0x40
    const index = this.#integer(indexing ? 6 : 4)
    const name = index === 0 ? this.#string() : this.#lookUp(index)[0]
    const field: Field = [name, this.#string()]
    if (indexing) this.#table.insert(field)
    return field
  }

  #lookUp(index: number): Field {
    const field = this.#table.at(index)
    if (!field) throw compression(`no field with index ${index}`)
    return field
  }

  /** RFC 7541 §5.1. */
  #integer(prefixBits: number): number {
    const mask = (1 << prefixBits) - 1
    let value = this.#byte() & mask
    if (value < mask) return value
    for (let shift = 0; ; shift += 7) {
      const byte = this.#byte()
      value += (byte & 0x7f) * 2 ** shift
      // A run of zero continuation bytes must end, too.
      if (value > MAX_INTEGER || shift > 28) throw compression('an integer out of range')
      if (byte < 0x80) return value
    }
  }

  /** RFC 7541 §5.2. */
  #string(): string {
    const huffman = (this.#block[this.#at] ?? 0) >= 0x80
    const length = this.#integer(7)
    const end = this.#at + length
    if (end > this.#block.length) throw compression('a string past the end of its block')
    const room = this.#left - ENTRY_OVERHEAD_BYTES
    // Huffman code takes at least 5 bits for each character, at most 30.
    if ((huffman ? Math.floor((length * 8) / 30) : length) > room) throw tooLong()
    const bytes = this.#block.subarray(this.#at, end)
    this.#at = end
    return latin1(huffman ? huffmanDecode(bytes, room) : bytes)
  }

  #byte(): number {
    const byte = this.#block[this.#at++]
    if (byte === undefined) throw compression('a block that ends too early')
    return byte
  }
}

function latin1(bytes: Uint8Array): string {
  if (bytes.length <= CHARACTERS_AT_ONCE) return String.fromCharCode(...bytes)
  let out = ''
  for (let at = 0; at < bytes.length; at += CHARACTERS_AT_ONCE) {
    out += String.fromCharCode(...bytes.subarray(at, at + CHARACTERS_AT_ONCE))
  }
  return out
}

const compression = (what: string): Http2Error => new Http2Error(Http2Code.compressionError, what)
const tooLong = (): Http2Error =>
  new Http2Error(Http2Code.enhanceYourCalm, 'a header list longer than allowed')
