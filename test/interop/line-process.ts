/**
 * A child process that talks lines of JSON: commands in, answers and events out (README.md). Whatever it
 * prints to stderr is kept for the message of a failure. It is ended by its id, at the latest when the
 * test process ends.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { z } from 'zod'

const KEPT_STDERR_BYTES = 16_384
const KEPT_EVENTS = 1000
const STOP_GRACE_MS = 5000

const Line = z.looseObject({
  id: z.number().optional(),
  ok: z.boolean().optional(),
  error: z.string().optional(),
  event: z.string().optional(),
})

/** One line that the process wrote, with whatever fields it has. */
export type Line = z.infer<typeof Line>

/** How a process is started. */
export interface ProcessOptions {
  /** What failures call it. */
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  /** Where its stderr is kept whole, in a file of its own. */
  readonly traceFolder?: string | undefined
}

interface Waiting {
  readonly wants: (line: Line) => boolean
  readonly resolve: (line: Line) => void
  readonly reject: (reason: Error) => void
}

const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

export class LineProcess {
  readonly name: string
  /** Every event so far, oldest first, bounded. */
  readonly events: Line[] = []
  /** Settles when the process has ended. */
  readonly ended: Promise<void>
  readonly #child: ChildProcess
  readonly #waiting = new Set<Waiting>()
  #stderr = ''
  #hasEnded = false
  #nextId = 1

  constructor(options: ProcessOptions) {
    this.name = options.name
    this.#child = spawn(options.command, options.args, {
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    running.add(this.#child)
    this.ended = new Promise((resolve) => {
      const end = (): void => {
        this.#hasEnded = true
        running.delete(this.#child)
        for (const one of this.#waiting) one.reject(this.#failure('ended'))
        this.#waiting.clear()
        resolve()
      }
      this.#child.once('close', end)
      this.#child.once('error', (cause) => {
        this.#stderr += cause.message
        end()
      })
    })
    this.#child.stdin?.on('error', () => undefined)
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-KEPT_STDERR_BYTES)
    })
    if (options.traceFolder !== undefined) {
      const file = `${this.name.replaceAll(' ', '-')}.${this.#child.pid ?? 0}.log`
      this.#child.stderr?.pipe(createWriteStream(path.join(options.traceFolder, file)))
    }
    if (this.#child.stdout) {
      createInterface({ input: this.#child.stdout }).on('line', (text) => {
        this.#take(text)
      })
    }
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  get hasEnded(): boolean {
    return this.#hasEnded
  }

  /** The end of what the process said on stderr. */
  get stderr(): string {
    return this.#stderr
  }

  /** Sends a command and waits for its answer; rejects when the answer says that it failed. */
  async request(command: Record<string, unknown>, timeoutMs: number): Promise<Line> {
    const id = this.#nextId++
    const answer = this.#wait(
      (line) => line.id === id,
      `answer to ${String(command.cmd)}`,
      timeoutMs,
    )
    this.#child.stdin?.write(`${JSON.stringify({ ...command, id })}\n`)
    const line = await answer
    if (line.ok !== true) {
      throw new Error(`${this.name}: ${String(command.cmd)}: ${line.error ?? 'no reason given'}`)
    }
    return line
  }

  /** The first event of that name from `since` (an index of `events`) on, perhaps already there. */
  async event(name: string, timeoutMs: number, since = 0): Promise<Line> {
    const earlier = this.events.slice(since).find((line) => line.event === name)
    return earlier ?? this.#wait((line) => line.event === name, `event ${name}`, timeoutMs)
  }

  /** The next line, whatever it is: for a process that reports once. */
  line(timeoutMs: number): Promise<Line> {
    return this.#wait(() => true, 'line', timeoutMs)
  }

  /** The next line that has the field. */
  lineWith(field: string, timeoutMs: number): Promise<Line> {
    return this.#wait((line) => field in line, `line with ${field}`, timeoutMs)
  }

  /** Ends the process as a crash would, and waits until it is gone. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.ended
  }

  /** Closes stdin, which asks for an orderly end, and kills what has not ended in five seconds. */
  async stop(signal?: NodeJS.Signals): Promise<void> {
    this.#child.stdin?.end()
    if (signal) this.#child.kill(signal)
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_GRACE_MS)
    await this.ended
    clearTimeout(timer)
  }

  #take(text: string): void {
    let line: Line
    try {
      line = Line.parse(JSON.parse(text))
    } catch {
      this.#stderr = `${this.#stderr}${text}\n`.slice(-KEPT_STDERR_BYTES)
      return
    }
    if (line.event !== undefined && this.events.length < KEPT_EVENTS) this.events.push(line)
    for (const one of this.#waiting) {
      if (!one.wants(line)) continue
      this.#waiting.delete(one)
      one.resolve(line)
    }
  }

  #wait(wants: (line: Line) => boolean, what: string, timeoutMs: number): Promise<Line> {
    if (this.#hasEnded) return Promise.reject(this.#failure('has ended'))
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(one)
        reject(this.#failure(`gave no ${what} within ${timeoutMs} ms`))
      }, timeoutMs)
      const one: Waiting = {
        wants,
        resolve: (line) => {
          clearTimeout(timer)
          resolve(line)
        },
        reject: (reason) => {
          clearTimeout(timer)
          reject(reason)
        },
      }
      this.#waiting.add(one)
    })
  }

  #failure(what: string): Error {
    const said = this.#stderr.trim()
    return new Error(`${this.name} ${what}${said === '' ? '' : `; it said:\n${said}`}`)
  }
}
