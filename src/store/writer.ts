/**
 * The queue before the writer's thread. All writes of one turn of the event loop, and all that arrive while a
 * commit is under way, share the next commit. The order is that of the calls.
 */
import Sqlite from 'better-sqlite3'
import type { Clock } from '../base/clock.ts'
import { PinholeError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { storeError } from './failure.ts'
import type { WriterThread } from './thread.ts'
import type { Outcome, Write } from './write.ts'

/** Bounds how long one commit keeps later writes waiting. */
const MAX_BATCH = 1_000
/** When to try again what must be kept, if the disk is full and nobody else writes. */
const RETRY_MS = 1_000
/** How long a commit may take until nobody else is made to wait for it. */
export const STALLED_MS = 5_000

type Thread = Pick<WriterThread, 'write' | 'close'>

/** What a writer is made of. */
export interface WriterParts {
  /** For messages. */
  readonly file: string
  readonly thread: Thread
  readonly clock: Clock
  readonly log: Log
}

interface Entry {
  readonly write: Write
  readonly done: (changes: number) => void
  /** Without one the write is tried until it succeeds. */
  readonly failed: ((reason: PinholeError) => void) | undefined
}

type State =
  | { readonly name: 'idle' }
  | { readonly name: 'gathering' }
  | { readonly name: 'writing' }
  | { readonly name: 'resting'; readonly cancel: () => void }

/** Writes in the order of the calls. */
export class Writer {
  readonly #file: string
  readonly #thread: Thread
  readonly #clock: Clock
  readonly #log: Log
  #queue: Entry[] = []
  #failures = 0
  #sentMs = 0
  #nextTryMs = 0
  #state: State = { name: 'idle' }
  #ending: { readonly drained: () => void } | undefined

  constructor({ file, thread, clock, log }: WriterParts) {
    this.#file = file
    this.#thread = thread
    this.#clock = clock
    this.#log = log
  }

  /** Whether the disk does not take what is written, or takes its time. */
  get failing(): boolean {
    const stalled = this.#clock.now() - this.#sentMs > STALLED_MS
    return this.#failures > 0 || (this.#state.name === 'writing' && stalled)
  }

  /**
   * Whether it is worth to `ask` for what can be left: always while all is well, and otherwise once in a second, to find
   * out whether that is over.
   */
  mayAsk(): boolean {
    if (!this.failing) return true
    const now = this.#clock.now()
    if (this.#state.name === 'writing' || now < this.#nextTryMs) return false
    this.#nextTryMs = now + RETRY_MS
    return true
  }

  /**
   * Resolves to the number of changed rows when the write would survive a crash; rejects with `ERR_STORE_OPEN`
   * when it is not on the disk.
   */
  ask(write: Write): Promise<number> {
    if (this.#ending) return Promise.reject(this.#closed())
    return new Promise((resolve, reject) => {
      this.#enter({ write, done: resolve, failed: reject })
    })
  }

  /** Writes it sooner or later, and before anything that is written afterwards; `done` tells when, and what changed. */
  keep(write: Write, done: (changes: number) => void = () => {}): void {
    if (this.#ending) throw this.#closed()
    this.#enter({ write, done, failed: undefined })
  }

  /** Waits for what is queued, then closes the file. What the disk does not take then is lost and logged. */
  async close(): Promise<void> {
    if (this.#ending) throw new TypeError('the store is closed already')
    const drained = new Promise<void>((resolve) => {
      this.#ending = { drained: resolve }
    })
    this.#proceed()
    await drained
    await this.#thread.close()
  }

  #enter(entry: Entry): void {
    this.#queue.push(entry)
    if (this.#state.name === 'idle' || this.#state.name === 'resting') this.#proceed()
  }

  #proceed(): void {
    if (this.#state.name === 'gathering' || this.#state.name === 'writing') return
    if (this.#state.name === 'resting') this.#state.cancel()
    this.#state = { name: 'idle' }
    if (this.#queue.length === 0) return this.#ending?.drained()
    this.#state = { name: 'gathering' }
    setImmediate(() => this.#send())
  }

  #send(): void {
    const batch = this.#queue.splice(0, MAX_BATCH)
    this.#state = { name: 'writing' }
    this.#sentMs = this.#clock.now()
    this.#thread.write(batch.map(({ write }) => write)).then(
      (outcomes) => this.#committed(batch, outcomes),
      (reason: unknown) => this.#failed(batch, storeError(this.#file, reason)),
    )
  }

  #committed(batch: readonly Entry[], outcomes: readonly Outcome[]): void {
    this.#state = { name: 'idle' }
    if (this.#failures > 0) this.#log.info({ failures: this.#failures }, 'written again')
    this.#failures = 0
    for (const [at, { write, done, failed }] of batch.entries()) {
      const outcome = outcomes[at]
      if (outcome?.name === 'done') {
        done(outcome.changes)
        continue
      }
      const { code = '', message = 'no outcome' } = outcome ?? {}
      const error = storeError(this.#file, new Sqlite.SqliteError(message, code))
      // Refused once is refused for ever: trying again would not help.
      if (failed) failed(error)
      else this.#log.error({ error, write: write.name }, 'the database refused a write')
    }
    this.#proceed()
  }

  #failed(batch: readonly Entry[], error: PinholeError): void {
    const kept = batch.filter(({ failed }) => failed === undefined)
    this.#nextTryMs = this.#clock.now() + RETRY_MS
    if (this.#failures++ === 0) this.#log.error({ error }, 'the database cannot be written')
    this.#queue = [...kept, ...this.#queue]
    for (const { failed } of batch) failed?.(error)
    if (this.#ending) this.#giveUp(error)
    const waitsFor = this.#queue.some(({ failed }) => failed !== undefined)
    if (waitsFor || this.#queue.length === 0) {
      this.#state = { name: 'idle' }
      return this.#proceed()
    }
    this.#state = {
      name: 'resting',
      cancel: this.#clock.after(RETRY_MS, () => this.#proceed()),
    }
  }

  #giveUp(error: PinholeError): void {
    const left = this.#queue
    this.#queue = []
    for (const { failed } of left) failed?.(error)
    if (left.length > 0) this.#log.error({ error, lost: left.length }, 'closed with unwritten rows')
  }

  #closed(): PinholeError {
    return new PinholeError('ERR_STORE_OPEN', `the database ${this.#file} is closed`)
  }
}
