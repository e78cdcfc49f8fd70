/** The writer's thread as the main thread sees it: one batch at a time. */
import { Worker } from 'node:worker_threads'
import Sqlite from 'better-sqlite3'
import { fileAt } from './database.ts'
import type { Outcome, Write } from './write.ts'

/** What the thread is started with. */
export interface ThreadData {
  readonly file: string
  /** Which file that was when it was opened. */
  readonly opened: string | undefined
}

/** What the thread is told. */
export type ToThread =
  { readonly name: 'write'; readonly writes: readonly Write[] } | { readonly name: 'close' }

/** What it says. */
export type FromThread =
  | { readonly name: 'committed'; readonly outcomes: readonly Outcome[] }
  | { readonly name: 'failed'; readonly code: string; readonly message: string }

type Waiting = {
  readonly resolve: (outcomes: readonly Outcome[]) => void
  readonly reject: (reason: unknown) => void
}

/** Starts the thread when there is something to write, and anew should it have died. */
export class WriterThread {
  readonly #data: ThreadData
  #worker: Worker | undefined
  #waiting: Waiting | undefined

  constructor(file: string) {
    this.#data = { file, opened: fileAt(file) }
  }

  /** Resolves when all of `writes` would survive a crash. Rejects when none of them is on the disk. */
  write(writes: readonly Write[]): Promise<readonly Outcome[]> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      this.#worker ??= this.#start()
      this.#worker.ref()
      this.#send(this.#worker, { name: 'write', writes })
    })
  }

  /** Lets the thread close the file and end. */
  async close(): Promise<void> {
    const worker = this.#worker
    if (!worker) return
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
    worker.ref()
    this.#send(worker, { name: 'close' })
    await ended
  }

  #send(worker: Worker, message: ToThread): void {
    worker.postMessage(message)
  }

  #start(): Worker {
    const worker = spawn(this.#data)
    worker.on('message', (message: FromThread) => {
      worker.unref()
      if (message.name === 'committed') this.#take()?.resolve(message.outcomes)
      else this.#take()?.reject(new Sqlite.SqliteError(message.message, message.code))
    })
    const gone = (reason: Error) => {
      if (this.#worker !== worker) return
      this.#worker = undefined
      this.#take()?.reject(reason)
    }
    worker.on('error', gone)
    worker.on('exit', () => gone(new Error("the writer's thread has ended")))
    return worker
  }

  #take(): Waiting | undefined {
    const waiting = this.#waiting
    this.#waiting = undefined
    return waiting
  }
}

function spawn(workerData: ThreadData): Worker {
  const compiled = import.meta.url.endsWith('.js')
  const entry = new URL(compiled ? './writer-thread.js' : './writer-thread.ts', import.meta.url)
  if (compiled) return new Worker(entry, { workerData })
  // Run from source: tsx does not reach into the threads of Node 20 by itself.
  const loader = JSON.stringify(import.meta.resolve('tsx/esm/api'))
  const source = `import(${loader}).then(({ register }) => {
    register()
    return import(${JSON.stringify(entry.href)})
  })`
  return new Worker(source, { eval: true, workerData })
}
