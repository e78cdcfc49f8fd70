import { compact } from '../../src/base/bytes.ts'

/** Bytes that have arrived in pieces and are wanted in others. Copies only what crosses a seam. */
export class ByteQueue {
  #chunks: Uint8Array[] = []
  #length = 0

  /** Bytes held. */
  get length(): number {
    return this.#length
  }

  /** Keeps `chunk`, or a copy where it is a small part of its memory. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return
    this.#chunks.push(compact(chunk))
    this.#length += chunk.length
  }

  /** The next `length` bytes, or `undefined` while fewer are held. */
  take(length: number): Uint8Array | undefined {
    if (this.#length < length) return undefined
    const first = this.#chunks[0]
    this.#length -= length
    if (first && first.length > length) {
      this.#chunks[0] = first.subarray(length)
      return first.subarray(0, length)
    }
    if (first && first.length === length) {
      this.#chunks.shift()
      return first
    }
    return this.#join(length)
  }

  clear(): void {
    this.#chunks = []
    this.#length = 0
  }

  #join(length: number): Uint8Array {
    const joined = new Uint8Array(length)
    let at = 0
    let used = 0
    for (const chunk of this.#chunks) {
      const part = chunk.subarray(0, length - at)
      joined.set(part, at)
      at += part.length
      if (part.length < chunk.length) this.#chunks[used] = chunk.subarray(part.length)
      else used++
      if (at === length) break
    }
    this.#chunks.splice(0, used)
    return joined
  }
}
