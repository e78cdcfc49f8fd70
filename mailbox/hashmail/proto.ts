/**
 * The messages of `hashmailrpc` as protobuf, by hand: five fields do not need a runtime (LNC §10.1).
 *
 *     CipherBoxDesc  { bytes stream_id = 1 }
 *     CipherBoxAuth  { CipherBoxDesc desc = 1; oneof auth { LndAuth lnd_auth = 2 } }
 *     CipherBox      { CipherBoxDesc desc = 1; bytes msg = 2 }
 *     CipherInitResp { oneof resp { CipherSuccess success = 1; challenge = 2; error = 3 } }
 *
 * Decoders are strict about bounds and wire types and skip unknown fields, as protobuf demands; they
 * return views on their input, allocate nothing else, and give `undefined` for bytes that are no message.
 * Size is the caller's to check, from the frame's prefix, before the bytes exist. Runs in a browser.
 */

/** Which box is meant. */
export interface CipherBoxDesc {
  /** Empty when the field is not set: protobuf does not tell the two apart. */
  readonly streamId: Uint8Array
}

/** Request of NewCipherBox and DelCipherBox. */
export interface CipherBoxAuth {
  readonly desc: CipherBoxDesc | undefined
  /** Whether the oneof `auth` is set; what it holds is never checked. */
  readonly lndAuth: boolean
}

/** One message on its way through a box. */
export interface CipherBox {
  readonly desc: CipherBoxDesc | undefined
  readonly msg: Uint8Array
}

const EMPTY: Uint8Array = new Uint8Array(0)
const BYTES = 2 // wire type of bytes and messages
const FIELD_1 = (1 << 3) | BYTES
const FIELD_2 = (2 << 3) | BYTES

const SKIP: Readonly<Record<number, number>> = { 1: 8, 5: 4 } // fixed64, fixed32
const MAX_VARINT_BYTES = 10

/** Reads one message field by field. After `next()`: `tag`, and for a bytes field `start` and `end`. */
class Fields {
  readonly #bytes: Uint8Array
  #at: number
  tag = 0
  start = 0
  end = 0
  ok = true

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#at = 0
  }

  /** Moves to the next field; false at the end or, with `ok` false, at broken bytes. */
  next(): boolean {
    if (this.#at >= this.#bytes.length) return false
    this.tag = this.#varint()
    if (!this.ok || this.tag >>> 3 === 0 || this.tag > 0xffffffff) return this.#broken()
    const type = this.tag & 7
    if (type === BYTES) {
      const length = this.#varint()
      this.start = this.#at
      this.end = this.start + length
      this.#at = this.end
    } else if (type === 0) {
      this.#varint()
    } else {
      // Groups (types 3 and 4) are in none of these messages and long out of use: refused.
      const width = SKIP[type]
      if (width === undefined) return this.#broken()
      this.#at += width
    }
    return (this.ok && this.#at <= this.#bytes.length) || this.#broken()
  }

  value(): Uint8Array {
    return this.#bytes.subarray(this.start, this.end)
  }

  #varint(): number {
    const first = this.#bytes[this.#at] ?? 0x80
    if (first < 0x80) {
      this.#at++
      return first
    }
    let value = 0
    let scale = 1
    for (let i = 0; i < MAX_VARINT_BYTES; i++) {
      const byte = this.#bytes[this.#at++]
      if (byte === undefined) break
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
      scale *= 128
    }
    this.#broken()
    return 0
  }

  #broken(): false {
    this.ok = false
    return false
  }
}

/** Decodes a `CipherBoxDesc`. */
export function decodeCipherBoxDesc(bytes: Uint8Array): CipherBoxDesc | undefined {
  const fields = new Fields(bytes)
  let streamId = EMPTY
  while (fields.next()) if (fields.tag === FIELD_1) streamId = fields.value()
  return fields.ok ? { streamId } : undefined
}

/** `field` merged into `desc`, as protobuf merges a message field that occurs twice. */
function mergeDesc(
  desc: CipherBoxDesc | undefined,
  field: Uint8Array,
): CipherBoxDesc | 'malformed' {
  const found = decodeCipherBoxDesc(field)
  if (!found) return 'malformed'
  return desc && found.streamId.length === 0 ? desc : found
}

/** Decodes a `CipherBoxAuth`. */
export function decodeCipherBoxAuth(bytes: Uint8Array): CipherBoxAuth | undefined {
  const fields = new Fields(bytes)
  let desc: CipherBoxDesc | undefined
  let lndAuth = false
  while (fields.next()) {
    if (fields.tag === FIELD_2) lndAuth = true
    if (fields.tag !== FIELD_1) continue
    const merged = mergeDesc(desc, fields.value())
    if (merged === 'malformed') return undefined
    desc = merged
  }
  return fields.ok ? { desc, lndAuth } : undefined
}

/** Decodes a `CipherBox`. */
export function decodeCipherBox(bytes: Uint8Array): CipherBox | undefined {
  const fields = new Fields(bytes)
  let desc: CipherBoxDesc | undefined
  let msg = EMPTY
  while (fields.next()) {
    if (fields.tag === FIELD_2) msg = fields.value()
    if (fields.tag !== FIELD_1) continue
    const merged = mergeDesc(desc, fields.value())
    if (merged === 'malformed') return undefined
    desc = merged
  }
  return fields.ok ? { desc, msg } : undefined
}

/** Only the `msg` of a `CipherBox`: later messages of a SendStream need no more, whatever `desc` says. */
export function cipherBoxMsg(bytes: Uint8Array): Uint8Array | undefined {
  const fields = new Fields(bytes)
  let start = 0
  let end = 0
  while (fields.next()) {
    if (fields.tag !== FIELD_2) continue
    start = fields.start
    end = fields.end
  }
  return fields.ok ? bytes.subarray(start, end) : undefined
}

/** Which answer NewCipherBox gave, or `undefined` for bytes that are no `CipherInitResp`. */
export function decodeCipherInitResp(
  bytes: Uint8Array,
): 'success' | 'challenge' | 'error' | 'none' | undefined {
  const fields = new Fields(bytes)
  let answer: 'success' | 'challenge' | 'error' | 'none' = 'none'
  while (fields.next()) {
    if (fields.tag === FIELD_1) answer = 'success'
    if (fields.tag === FIELD_2) answer = 'challenge'
    if (fields.tag === ((3 << 3) | BYTES)) answer = 'error'
  }
  return fields.ok ? answer : undefined
}

const varintBytes = (n: number): number =>
  n < 0x80 ? 1 : n < 0x4000 ? 2 : n < 0x200000 ? 3 : n < 0x10000000 ? 4 : 5

function writeVarint(out: Uint8Array, at: number, n: number): number {
  while (n >= 0x80) {
    out[at++] = (n & 0x7f) | 0x80
    n >>>= 7
  }
  out[at++] = n
  return at
}

/** Bytes that field 2 (`msg`) takes for a message of `length`; 0 for an empty one, which is left out. */
export const msgFieldBytes = (length: number): number =>
  length === 0 ? 0 : 1 + varintBytes(length) + length

/** Writes field 2 (`msg`) into `out` at `at`; returns where it ends. */
export function writeMsgField(out: Uint8Array, at: number, msg: Uint8Array): number {
  if (msg.length === 0) return at
  out[at++] = FIELD_2
  at = writeVarint(out, at, msg.length)
  out.set(msg, at)
  return at + msg.length
}

function bytesField(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(1 + varintBytes(bytes.length) + bytes.length)
  out[0] = FIELD_1
  out.set(bytes, writeVarint(out, 1, bytes.length))
  return out
}

/** Encodes a `CipherBoxDesc`. */
export const encodeCipherBoxDesc = (streamId: Uint8Array): Uint8Array =>
  streamId.length === 0 ? EMPTY : bytesField(streamId)

/** Field 1 (`desc`) as it stands before the message in a `CipherBox`: the same for a whole stream. */
export const encodeDescField = (streamId: Uint8Array): Uint8Array =>
  bytesField(encodeCipherBoxDesc(streamId))

/** Encodes a `CipherBoxAuth` with the empty `lnd_auth` that the relay asks for. */
export function encodeCipherBoxAuth(streamId: Uint8Array): Uint8Array {
  const desc = encodeDescField(streamId)
  const out = new Uint8Array(desc.length + 2)
  out.set(desc)
  out[desc.length] = FIELD_2
  return out
}

/** Encodes a `CipherBox`. */
export function encodeCipherBox(streamId: Uint8Array, msg: Uint8Array): Uint8Array {
  const desc = encodeDescField(streamId)
  const out = new Uint8Array(desc.length + msgFieldBytes(msg.length))
  out.set(desc)
  writeMsgField(out, desc.length, msg)
  return out
}

/** NewCipherBox's answer as Aperture gives it: `success`, without a desc. */
export const encodeCipherInitSuccess = (): Uint8Array => new Uint8Array([FIELD_1, 0])
