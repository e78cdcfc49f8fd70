/**
 * Runs what has been scheduled once, after the event loop has read all its sockets: messages that came
 * in together leave in one write. A lone message waits for nothing but the end of that turn.
 */
export class Flusher {
  #due: (() => void)[] = []
  readonly #run = (): void => {
    const due = this.#due
    this.#due = []
    for (const flush of due) flush()
  }

  /** Has `flush` run soon; the caller takes care not to schedule it twice. */
  schedule(flush: () => void): void {
    if (this.#due.push(flush) === 1) setImmediate(this.#run)
  }
}
