/** HPACK's two tables, RFC 7541 §2.3: the static one and the dynamic one of one direction. */

/** A header field: lower-case name, value of Latin-1 characters. */
export type Field = readonly [name: string, value: string]

/** Fields 1 to 61, RFC 7541 appendix A; `name` or `name=value`. */
// prettier-ignore
const STATIC = [
  ':authority', ':method=GET', ':method=POST', ':path=/', ':path=/index.html', ':scheme=http',
  ':scheme=https', ':status=200', ':status=204', ':status=206', ':status=304', ':status=400',
  ':status=404', ':status=500', 'accept-charset', 'accept-encoding=gzip, deflate',
  'accept-language', 'accept-ranges', 'accept', 'access-control-allow-origin', 'age', 'allow',
  'authorization', 'cache-control', 'content-disposition', 'content-encoding', 'content-language',
  'content-length', 'content-location', 'content-range', 'content-type', 'cookie', 'date', 'etag',
  'expect', 'expires', 'from', 'host', 'if-match', 'if-modified-since', 'if-none-match', 'if-range',
  'if-unmodified-since', 'last-modified', 'link', 'location', 'max-forwards', 'proxy-authenticate',
  'proxy-authorization', 'range', 'referer', 'refresh', 'retry-after', 'server', 'set-cookie',
  'strict-transport-security', 'transfer-encoding', 'user-agent', 'vary', 'via', 'www-authenticate',
]

/** The static table; index 1 is at position 0. */
export const STATIC_FIELDS: readonly Field[] = STATIC.map((entry): Field => {
  const at = entry.indexOf('=')
  return at < 0 ? [entry, ''] : [entry.slice(0, at), entry.slice(at + 1)]
})

/** Bytes a table counts for each entry besides its name and value, RFC 7541 §4.1. */
export const ENTRY_OVERHEAD_BYTES = 32

/** Size of both ends' dynamic tables unless SETTINGS say otherwise, RFC 9113 §6.5.2. */
export const DEFAULT_TABLE_BYTES = 4096

/** What `field` counts in a table and in a header list (RFC 7541 §4.1, RFC 9113 §10.5.1). */
export const fieldBytes = (field: Field): number =>
  field[0].length + field[1].length + ENTRY_OVERHEAD_BYTES

/** The dynamic table: first in, first out, bounded in bytes. */
export class DynamicTable {
  /** Oldest first. */
  #fields: Field[] = []
  #bytes = 0
  #maxBytes = DEFAULT_TABLE_BYTES
  #inserted = 0

  /** How many fields were ever inserted; the newest has this number. */
  get inserted(): number {
    return this.#inserted
  }

  /** Most bytes the table may hold. */
  get maxBytes(): number {
    return this.#maxBytes
  }

  /** The field with HPACK index `index` (1 = first static field, 62 = newest here), if there is one. */
  at(index: number): Field | undefined {
    if (index <= STATIC_FIELDS.length) return STATIC_FIELDS[index - 1]
    return this.#fields[this.#fields.length - (index - STATIC_FIELDS.length)]
  }

  /** HPACK index of the field that was inserted as number `n`, or `undefined` when it has gone. */
  indexOf(n: number): number | undefined {
    const age = this.#inserted - n
    return age < this.#fields.length ? STATIC_FIELDS.length + 1 + age : undefined
  }

  /** Inserts `field`, dropping old ones; one that is larger than the table empties it (RFC 7541 §4.4). */
  insert(field: Field): void {
    const bytes = fieldBytes(field)
    this.#shrink(this.#maxBytes - bytes)
    this.#inserted++
    if (bytes > this.#maxBytes) return
    this.#fields.push(field)
    this.#bytes += bytes
  }

  /** Changes the bound, dropping what no longer fits (RFC 7541 §4.3). */
  resize(maxBytes: number): void {
    this.#maxBytes = maxBytes
    this.#shrink(maxBytes)
  }

  #shrink(toBytes: number): void {
    while (this.#bytes > toBytes) {
      const oldest = this.#fields.shift()
      if (!oldest) return
      this.#bytes -= fieldBytes(oldest)
    }
  }
}
