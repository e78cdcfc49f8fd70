/**
 * The log on disk (`logging.file`), as Aperture keeps it: a file that is moved aside at a size, compressed, and
 * forgotten when there are enough of them. A disk that is full costs lines, never the hub.
 */
import { closeSync, createReadStream, createWriteStream, fstatSync, mkdirSync } from 'node:fs'
import { openSync, readdirSync, renameSync, rmSync, writeSync } from 'node:fs'
import path from 'node:path'
import type { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import * as zlib from 'node:zlib'
import type { LineSink } from './logger.ts'

/** What is kept of a log. */
export interface LogFileOptions {
  readonly file: string
  /** A file that would become longer is moved aside, in bytes; 0 is never. */
  readonly maxBytes: number
  /** Files kept beside the one that is written; 0 is all. */
  readonly maxFiles: number
  readonly compressor: 'gzip' | 'zstd'
}

/** Its lines may say whose requests came when. */
const MODE = 0o600

/** Writes lines to a file. */
export class LogFile implements LineSink {
  readonly #options: LogFileOptions
  readonly #onTrouble: (error: unknown) => void
  #fd: number
  #bytes: number
  #troubled = false
  /** Whether the last line was cut off in the middle. */
  #torn = false
  #closed = false
  /** What is being compressed. */
  #compressing: Promise<void> = Promise.resolve()

  /** Throws Node's error when the file cannot be opened; `onTrouble` hears when lines begin to be lost. */
  constructor(options: LogFileOptions, onTrouble: (error: unknown) => void) {
    this.#options = options
    this.#onTrouble = onTrouble
    mkdirSync(path.dirname(options.file), { recursive: true, mode: 0o700 })
    this.#fd = openSync(options.file, 'a', MODE)
    this.#bytes = fstatSync(this.#fd).size
  }

  /** Nothing after `close`. */
  write(line: string): void {
    if (this.#closed) return
    try {
      const bytes = Buffer.from(this.#torn ? `\n${line}` : line)
      const { maxBytes } = this.#options
      if (maxBytes > 0 && this.#bytes > 0 && this.#bytes + bytes.length > maxBytes) this.#roll()
      const written = writeSync(this.#fd, bytes)
      this.#bytes += written
      this.#torn = written < bytes.length
      // A full disk takes the beginning and says nothing.
      if (this.#torn) throw new Error(`only ${written} of ${bytes.length} bytes were taken`)
      this.#troubled = false
    } catch (error) {
      this.#tell(error)
    }
  }

  /** Goes on in a file of that name, where somebody has moved or removed the one so far. Throws nothing. */
  reopen(): void {
    if (this.#closed) return
    try {
      const { file } = this.#options
      mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 })
      const next = openSync(file, 'a', MODE)
      closeSync(this.#fd)
      this.#fd = next
      this.#bytes = fstatSync(next).size
      this.#torn = false
    } catch (error) {
      this.#tell(error)
    }
  }

  /** Resolves when nothing is being compressed any more; idempotent. */
  async close(): Promise<void> {
    if (!this.#closed) closeSync(this.#fd)
    this.#closed = true
    await this.#compressing
  }

  #roll(): void {
    const { file } = this.#options
    const aside = `${file}.${Math.max(0, ...rolled(file).map(({ number }) => number)) + 1}`
    renameSync(file, aside)
    const next = openSync(file, 'a', MODE)
    closeSync(this.#fd)
    this.#fd = next
    this.#bytes = 0
    this.#compressing = this.#compressing
      .then(() => this.#compress(aside))
      .catch((error: unknown) => this.#tell(error))
  }

  async #compress(aside: string): Promise<void> {
    const { transform, ending } = compression(this.#options.compressor)
    const to = createWriteStream(aside + ending, { mode: MODE })
    await pipeline(createReadStream(aside), transform, to)
    rmSync(aside)
    this.#forget()
  }

  #forget(): void {
    const { file, maxFiles } = this.#options
    if (maxFiles <= 0) return
    // Others wait to be compressed.
    const all = rolled(file)
      .filter(({ name }) => /[a-z]$/.test(name))
      .sort((a, b) => b.number - a.number)
    for (const { name } of all.slice(maxFiles)) rmSync(path.join(path.dirname(file), name))
  }

  #tell(error: unknown): void {
    if (this.#troubled) return
    this.#troubled = true
    this.#onTrouble(error)
  }
}

/** The files that were moved aside, by their numbers; the highest is the newest. */
function rolled(file: string): { readonly name: string; readonly number: number }[] {
  const start = `${path.basename(file)}.`
  return readdirSync(path.dirname(file)).flatMap((name) => {
    const [, number] = /^(\d{1,9})(?:\.gz|\.zst)?$/.exec(name.slice(start.length)) ?? []
    return name.startsWith(start) && number !== undefined ? [{ name, number: Number(number) }] : []
  })
}

/** Node has zstd from 22.15 on; before that it is gzip. */
function compression(compressor: LogFileOptions['compressor']): {
  readonly transform: Transform
  readonly ending: string
} {
  if (compressor === 'zstd' && 'createZstdCompress' in zlib) {
    const make = zlib.createZstdCompress as () => Transform
    return { transform: make(), ending: '.zst' }
  }
  return { transform: zlib.createGzip(), ending: '.gz' }
}
