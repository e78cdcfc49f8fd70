/** The newest lines of the log, for whoever operates the hub from afar. Secrets are taken out before a line is kept. */
import { randomUUID } from 'node:crypto'
import type { Clock } from './base/clock.ts'
import { type Log, type LogFields, redact } from './base/log.ts'

/** Levels, from least to most. */
const LEVELS = ['debug', 'info', 'warn', 'error'] as const
type Level = (typeof LEVELS)[number]

const MAX_LINES = 2_000
const MAX_TEXT_CHARS = 2_000
/** Of the fields of one line, as JSON. */
const MAX_FIELDS_CHARS = 4_000

/** One line. */
export interface KeptLine {
  /** Milliseconds since 1970. */
  readonly atMs: number
  readonly level: Level
  readonly part: string
  readonly text: string
  /** JSON of an object. */
  readonly fields: string
}

/** A part of the log, oldest line first. */
export interface LogPart {
  readonly lines: readonly KeptLine[]
  /** Where to go on. */
  readonly cursor: string
}

/** Keeps the newest lines. */
export class LogLines {
  readonly #clock: Clock
  readonly #debug: boolean
  /** Lines of another process are not those of this one, whatever their numbers. */
  readonly #run = randomUUID()
  #lines: KeptLine[] = []
  /** Lines before the first that is kept. */
  #dropped = 0

  /** `debug`: whether lines of that level are kept too. They are many. */
  constructor(clock: Clock, debug: boolean) {
    this.#clock = clock
    this.#debug = debug
  }

  /** A log that writes to `log`, and keeps what it writes. */
  beside(log: Log, own: LogFields = {}): Log {
    const both = (level: Level) => (fields: LogFields, text: string) => {
      log[level](fields, text)
      this.#keep(level, { ...own, ...fields }, text)
    }
    return {
      debug: this.#debug ? both('debug') : (fields, text) => log.debug(fields, text),
      info: both('info'),
      warn: both('warn'),
      error: both('error'),
      child: (fields) => this.beside(log.child(fields), { ...own, ...fields }),
    }
  }

  /** The newest `limit` lines of at least `level`, newest first. */
  list(level: Level, limit: number): readonly KeptLine[] {
    const least = LEVELS.indexOf(level)
    const found: KeptLine[] = []
    for (let at = this.#lines.length - 1; at >= 0 && found.length < limit; at--) {
      const line = this.#lines[at]
      if (line && LEVELS.indexOf(line.level) >= least) found.push(line)
    }
    return found
  }

  /** Where the log has come to. */
  get cursor(): string {
    return this.#cursorAt(this.#dropped + this.#lines.length)
  }

  /**
   * At most `limit` lines of at least `level` that came after `cursor`, oldest first. All that are kept come after a
   * cursor of another process.
   */
  after(cursor: string, level: Level, limit: number): LogPart {
    const [, run, number] = /^(.+)\.(\d{1,15})$/.exec(cursor) ?? []
    const seen = run === this.#run ? Number(number) : 0
    const least = LEVELS.indexOf(level)
    const lines: KeptLine[] = []
    let at = Math.max(0, seen - this.#dropped)
    for (; at < this.#lines.length && lines.length < limit; at++) {
      const line = this.#lines[at]
      if (line && LEVELS.indexOf(line.level) >= least) lines.push(line)
    }
    return { lines, cursor: this.#cursorAt(this.#dropped + at) }
  }

  #cursorAt(number: number): string {
    return `${this.#run}.${number}`
  }

  #keep(level: Level, { part, ...fields }: LogFields, text: string): void {
    this.#lines.push({
      atMs: this.#clock.wall(),
      level,
      part: typeof part === 'string' ? part : '',
      text: text.slice(0, MAX_TEXT_CHARS),
      fields: jsonOf(fields),
    })
    if (this.#lines.length < 2 * MAX_LINES) return
    this.#lines = this.#lines.slice(MAX_LINES)
    this.#dropped += MAX_LINES
  }
}

function jsonOf(fields: LogFields): string {
  const json = JSON.stringify(redact(fields), (_key, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  )
  return json.length <= MAX_FIELDS_CHARS
    ? json
    : JSON.stringify({ cut: json.slice(0, MAX_FIELDS_CHARS) })
}
