/**
 * Both ends of an LNC connection as processes, whoever wrote them: the Go peer (`go/lnc-peer`) and ours
 * (`ends/*.ts`) take the same flags and talk the same lines (README.md).
 */
import { fileOf, NODE_ARGS } from '../process.ts'
import { LineProcess, type Line } from './line-process.ts'
import { peerBinary } from './peers.ts'

/** Who wrote an end. */
export type Maker = 'pinhole' | 'go'

/** What the client end speaks to the relay. */
export type Transport = 'websocket' | 'grpc'

/** What an end starts with: a phrase, or the keys of an earlier pairing. */
export interface Session {
  readonly phrase?: string | undefined
  readonly localKey?: string | undefined
  readonly remoteKey?: string | undefined
}

const START_MS = 60_000
const CALL_MS = 120_000

/** Where what each end says with `--debug` is kept, one file each. */
const TRACE_FOLDER = process.env.PINHOLE_INTEROP_TRACE

function start(maker: Maker, role: string, flags: Record<string, string | undefined>): LineProcess {
  const given = Object.entries(flags).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name}`, value],
  )
  const name = `${maker} ${role}`
  if (TRACE_FOLDER !== undefined) given.push('--debug')
  if (maker === 'go') {
    return new LineProcess({
      name,
      command: peerBinary('lnc-peer'),
      args: [role, ...given],
      traceFolder: TRACE_FOLDER,
    })
  }
  const script = fileOf(`test/interop/ends/${role}`)
  const args = [...NODE_ARGS, script, ...given]
  return new LineProcess({ name, command: process.execPath, args, traceFolder: TRACE_FOLDER })
}

const sessionFlags = (session: Session): Record<string, string | undefined> => ({
  phrase: session.phrase,
  'local-key': session.localKey,
  'remote-key': session.remoteKey,
})

function text(line: Line, field: string): string {
  const value = line[field]
  if (typeof value !== 'string') throw new Error(`line without ${field}: ${JSON.stringify(line)}`)
  return value
}

function number(line: Line, field: string): number {
  const value = line[field]
  if (typeof value !== 'number') throw new Error(`line without ${field}: ${JSON.stringify(line)}`)
  return value
}

/** The keys of an end once it has paired, which another process can start with. */
async function keysOf(process: LineProcess): Promise<Session> {
  const line = await process.event('paired', START_MS)
  return { localKey: text(line, 'localKey'), remoteKey: text(line, 'remoteKey') }
}

/** The server end, which offers the echo service. */
export class ServerEnd {
  readonly process: LineProcess
  readonly phrase: string

  private constructor(process: LineProcess, phrase: string) {
    this.process = process
    this.phrase = phrase
  }

  /** Starts it and waits until a client may come. */
  static async start(
    maker: Maker,
    options: Session & { readonly relay: string; readonly macaroon?: string },
  ): Promise<ServerEnd> {
    const { relay, macaroon } = options
    const process = start(maker, 'server', { relay, macaroon, ...sessionFlags(options) })
    return new ServerEnd(process, text(await process.event('ready', START_MS), 'phrase'))
  }

  /** Own and client's static keys, once paired. */
  keys(): Promise<Session> {
    return keysOf(this.process)
  }

  /** Ends it in order, with its boxes. */
  stop(): Promise<void> {
    return this.process.stop()
  }
}

/** The client end. Calls check what comes back, and give milliseconds. */
export class ClientEnd {
  readonly process: LineProcess

  private constructor(process: LineProcess) {
    this.process = process
  }

  /** Starts it; it connects when told to. */
  static async start(
    maker: Maker,
    options: Session & { readonly relay: string; readonly transport: Transport },
  ): Promise<ClientEnd> {
    const { relay, transport } = options
    const process = start(maker, 'client', { relay, transport, ...sessionFlags(options) })
    await process.event('ready', START_MS)
    return new ClientEnd(process)
  }

  /** Own and server's static keys, once paired. */
  keys(): Promise<Session> {
    return keysOf(this.process)
  }

  /** Connects, by the phrase the first time and by the keys from then on. */
  connect(timeoutMs = CALL_MS): Promise<number> {
    return this.#timed({ cmd: 'connect', timeoutMs })
  }

  disconnect(): Promise<number> {
    return this.#timed({ cmd: 'disconnect' })
  }

  /** So many unary calls, one after the other: the median. */
  async unary(
    count: number,
    bytes: number,
    intervalMs = 0,
  ): Promise<{ p50Ms: number; maxMs: number }> {
    const timeoutMs = CALL_MS + count * intervalMs
    const line = await this.#ask({ cmd: 'unary', count, bytes, intervalMs, timeoutMs })
    return { p50Ms: number(line, 'p50Ms'), maxMs: number(line, 'maxMs') }
  }

  /** Calls until one is answered. */
  untilAnswered(timeoutMs: number): Promise<number> {
    return this.#timed({ cmd: 'wait', timeoutMs })
  }

  /** Keeps so many calls going for so long: calls per second. */
  async parallel(parallel: number, bytes: number, durationMs: number): Promise<number> {
    const timeoutMs = durationMs + CALL_MS
    return number(
      await this.#ask({ cmd: 'parallel', parallel, bytes, durationMs, timeoutMs }),
      'perSecond',
    )
  }

  stream(count: number): Promise<number> {
    return this.#timed({ cmd: 'stream', count })
  }

  /** Receives so many ticks, each an event `tick`, in order. */
  ticks(count: number, intervalMs: number): Promise<number> {
    return this.#timed({ cmd: 'ticks', count, intervalMs })
  }

  upload(bytes: number): Promise<number> {
    return this.#timed({ cmd: 'upload', bytes })
  }

  download(bytes: number): Promise<number> {
    return this.#timed({ cmd: 'download', bytes })
  }

  /** Ends the process, whatever it is doing. */
  stop(): Promise<void> {
    return this.process.stop()
  }

  async #timed(command: Record<string, unknown>): Promise<number> {
    return number(await this.#ask(command), 'ms')
  }

  #ask(command: Record<string, unknown>): Promise<Line> {
    const limit = typeof command.timeoutMs === 'number' ? command.timeoutMs : CALL_MS
    return this.process.request({ timeoutMs: limit, ...command }, limit + 5000)
  }
}
