/**
 * gRPC's length-prefixed messages (gRPC over HTTP/2, "Length-Prefixed-Message"): 1 byte compressed flag,
 * 4 bytes length, then the message. Runs in a browser.
 */

import { Assembly } from './assembly.ts'

/** Bytes before each message. */
export const FRAME_PREFIX_BYTES = 5

/** `message` with its prefix. */
export function grpcFrame(message: Uint8Array): Uint8Array {
  const out = new Uint8Array(FRAME_PREFIX_BYTES + message.length)
  writePrefix(out, 0, message.length)
  out.set(message, FRAME_PREFIX_BYTES)
  return out
}

/** Writes the prefix of an uncompressed message of `length` into `out` at `at`; returns where it ends. */
export function writePrefix(out: Uint8Array, at: number, length: number): number {
  out[at] = 0
  out[at + 1] = length >>> 24
  out[at + 2] = length >>> 16
  out[at + 3] = length >>> 8
  out[at + 4] = length
  return at + FRAME_PREFIX_BYTES
}

/**
 * Cuts a byte stream into messages, at the caller's pace: `push` what arrives, ask `length()` for the
 * announced size of the next message (to check it before its bytes are kept), then take it with `next()`.
 * A message that lies within one chunk is a view on it; memory for a longer one grows with what has
 * arrived, so that an announcement alone costs nothing.
 */
export class FrameReader {
  #chunk: Uint8Array = new Uint8Array(0)
  #at = 0
  #prefix = new Uint8Array(0)
  #length: number | undefined
  #compressed = false
  #assembly: Assembly | undefined

  /** Adds bytes. The chunk before must have been used up: `next()` gave `undefined`. */
  push(chunk: Uint8Array): void {
    this.#chunk = this.#prefix.length > 0 ? joined(this.#prefix, chunk) : chunk
    this.#prefix = NO_BYTES
    this.#at = 0
  }

  /** Announced length of the next message, in bytes; `undefined` until its prefix is there. */
  length(): number | undefined {
    if (this.#length !== undefined) return this.#length
    const chunk = this.#chunk
    const at = this.#at
    if (chunk.length - at < FRAME_PREFIX_BYTES) return undefined
    this.#compressed = chunk[at] !== 0
    this.#length =
      (chunk[at + 1] ?? 0) * 0x1000000 +
      (((chunk[at + 2] ?? 0) << 16) | ((chunk[at + 3] ?? 0) << 8) | (chunk[at + 4] ?? 0))
    this.#at += FRAME_PREFIX_BYTES
    return this.#length
  }

  /** Whether the message that `length()` announced is marked as compressed. */
  get compressed(): boolean {
    return this.#compressed
  }

  /** Whether a message has begun and is not complete. */
  get partial(): boolean {
    return this.#prefix.length > 0 || this.#length !== undefined
  }

  /** Forgets what has been pushed: nothing more is wanted. */
  clear(): void {
    this.#prefix = NO_BYTES
    this.#length = undefined
    this.#assembly = undefined
    this.#drop()
  }

  /** The next whole message, or `undefined` when its bytes are not all there: then `push` more. */
  next(): Uint8Array | undefined {
    const length = this.length()
    if (length === undefined) return this.#keepPrefix()
    if (this.#assembly || this.#chunk.length - this.#at < length) return this.#assemble(length)
    this.#length = undefined
    this.#at += length
    return this.#chunk.subarray(this.#at - length, this.#at)
  }

  #keepPrefix(): undefined {
    if (this.#at < this.#chunk.length) this.#prefix = new Uint8Array(this.#chunk.subarray(this.#at))
    return this.#drop()
  }

  #assemble(length: number): Uint8Array | undefined {
    this.#assembly ??= new Assembly(length)
    this.#at += this.#assembly.add(this.#chunk.subarray(this.#at))
    const { message } = this.#assembly
    if (!message) return this.#drop()
    this.#assembly = undefined
    this.#length = undefined
    return message
  }

  #drop(): undefined {
    this.#chunk = NO_BYTES
    this.#at = 0
    return undefined
  }
}

const NO_BYTES = new Uint8Array(0)

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const out = new Uint8Array(a.length + b.length)
  out.set(a)
  out.set(b, a.length)
  return out
}
