/** What transfers carry, the same bytes as `go/echo/pattern.go` makes. */
import { createHash, type Hash } from 'node:crypto'

/** Size of every message of a transfer but the last. */
export const CHUNK_BYTES = 32 * 1024

/** Where the pattern starts again. */
const PERIOD_BYTES = 1 << 24

let made: Uint8Array | undefined

// No two blocks of a power of two below the period are alike: one lost, doubled or moved shows.
function period(): Uint8Array {
  if (made) return made
  made = new Uint8Array(PERIOD_BYTES)
  for (let at = 0; at < PERIOD_BYTES; at++) made[at] = at * 167 + (at >> 8) * 59 + (at >> 16) * 113
  return made
}

/** The first `bytes` of the pattern, in chunks. */
export function* patternChunks(bytes: number): Generator<Uint8Array> {
  for (let offset = 0; offset < bytes; offset += CHUNK_BYTES) {
    const start = offset % PERIOD_BYTES
    yield period().subarray(start, start + Math.min(CHUNK_BYTES, bytes - offset))
  }
}

/** Sums a transfer as it passes. */
export class Digest {
  readonly #sum: Hash = createHash('sha256')
  #bytes = 0

  add(block: Uint8Array): void {
    this.#sum.update(block)
    this.#bytes += block.length
  }

  /** `<length> <SHA-256 in hex>`; ends the sum. */
  finish(): string {
    return `${this.#bytes} ${this.#sum.digest('hex')}`
  }
}

/** The digest of the first `bytes` of the pattern. */
export function patternDigest(bytes: number): string {
  const digest = new Digest()
  for (const chunk of patternChunks(bytes)) digest.add(chunk)
  return digest.finish()
}
