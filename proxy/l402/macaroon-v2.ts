/**
 * Reads and writes libmacaroons' binary version 2: sections of fields, each field a tag, a length and its bytes, each
 * section ended by a zero. Stricter than the libraries where they have leeway (lengths in more bytes than
 * needed, empty fields, bytes after the end): a macaroon has one encoding, and no two readers see two.
 */
import { concat, utf8 } from '../../src/base/bytes.ts'
import { MAX_CAVEATS, SIGNATURE_BYTES, strictText, type MacaroonFields } from './fields.ts'

const END = 0
const LOCATION = 1
const IDENTIFIER = 2
const VERIFICATION = 4
const SIGNATURE = 6

type Section = ReadonlyMap<number, Uint8Array>

/** The first byte of version 2. */
export const V2_MARK = 2

/** The fields of a macaroon in version 2; `undefined` when it is none. */
export function readV2(bytes: Uint8Array): MacaroonFields | undefined {
  if (bytes[0] !== V2_MARK) return undefined
  const reader = new FieldReader(bytes.subarray(1))
  const header = readHeader(reader)
  const body = header && readCaveats(reader)
  const signature = body && reader.signature()
  return signature && { version: 2, ...header, ...body, signature }
}

/** The beginning of a macaroon in version 2, to which caveats and a signature are joined. */
export function headerV2(location: string, identifier: Uint8Array): Uint8Array {
  const where = location === '' ? [] : [field(LOCATION, utf8(location))]
  return concat(Uint8Array.of(V2_MARK), ...where, field(IDENTIFIER, identifier), Uint8Array.of(END))
}

/** A first-party caveat, as it stands in version 2. */
export function caveatV2(text: string): Uint8Array {
  return concat(field(IDENTIFIER, utf8(text)), Uint8Array.of(END))
}

/** The end of a macaroon in version 2. */
export function signatureV2(signature: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(END), field(SIGNATURE, signature))
}

/** Bytes of the end of a macaroon in version 2. */
export const SIGNATURE_V2_BYTES = 3 + SIGNATURE_BYTES

function field(tag: number, data: Uint8Array): Uint8Array {
  const head = [tag]
  let length = data.length
  for (; length >= 0x80; length >>>= 7) head.push((length & 0x7f) | 0x80)
  return concat(Uint8Array.from([...head, length]), data)
}

function readHeader(
  reader: FieldReader,
): Pick<MacaroonFields, 'location' | 'identifier'> | undefined {
  const header = reader.section()
  const identifier = header?.get(IDENTIFIER)
  if (!header || !identifier || header.has(VERIFICATION)) return undefined
  const location = strictText(header.get(LOCATION) ?? new Uint8Array())
  return location === undefined ? undefined : { location, identifier }
}

function readCaveats(
  reader: FieldReader,
): Pick<MacaroonFields, 'caveats' | 'thirdParty'> | undefined {
  const caveats: string[] = []
  let thirdParty = false
  for (let count = 0; count <= MAX_CAVEATS; count++) {
    const section = reader.section()
    if (section?.size === 0) return { caveats, thirdParty }
    const read = section && caveatText(section)
    if (read === undefined) return undefined
    if (read === 'third party') thirdParty = true
    else caveats.push(read.text)
  }
  return undefined
}

function caveatText(section: Section): { readonly text: string } | 'third party' | undefined {
  const id = section.get(IDENTIFIER)
  const location = section.get(LOCATION)
  if (!id || (location && strictText(location) === undefined)) return undefined
  if (section.has(VERIFICATION)) return 'third party'
  const text = strictText(id)
  // A location is a hint to a third party.
  return text === undefined || location ? undefined : { text }
}

class FieldReader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** Fields up to the next end mark, by their tags, which ascend. */
  section(): Section | undefined {
    const fields = new Map<number, Uint8Array>()
    for (let last = END; ;) {
      const tag = this.#bytes[this.#at++]
      if (tag === END) return fields
      if (tag === undefined || tag <= last || !isSectionTag(tag)) return undefined
      const data = this.#data()
      if (!data || (data.length === 0 && tag !== IDENTIFIER)) return undefined
      fields.set(tag, data)
      last = tag
    }
  }

  /** The signature, which nothing follows. */
  signature(): Uint8Array | undefined {
    if (this.#bytes[this.#at++] !== SIGNATURE) return undefined
    const data = this.#data()
    return data?.length === SIGNATURE_BYTES && this.#at === this.#bytes.length ? data : undefined
  }

  #data(): Uint8Array | undefined {
    // Two bytes of length reach further than a macaroon may.
    const low = this.#bytes[this.#at++] ?? 0xff
    const high = low < 0x80 ? 0 : (this.#bytes[this.#at++] ?? 0xff)
    if (high >= 0x80 || (low >= 0x80 && high === 0)) return undefined
    const length = (low & 0x7f) | (high << 7)
    const end = this.#at + length
    if (end > this.#bytes.length) return undefined
    const data = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return data
  }
}

const isSectionTag = (tag: number): boolean =>
  tag === LOCATION || tag === IDENTIFIER || tag === VERIFICATION
