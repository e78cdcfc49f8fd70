/** Relays to meet at: Aperture's and ours, each a process of its own on loopback, which may be killed. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { LineProcess } from './line-process.ts'
import { pinhole } from './pinhole.ts'
import { peerBinary } from './peers.ts'
import type { Maker } from './ends.ts'

const START_MS = 60_000
const POLL_MS = 50

/** What a relay may be told besides its defaults, as durations of Aperture's configuration. */
export interface RelayOptions {
  readonly wsPingInterval?: string
  readonly wsPongWait?: string
}

/** Below what systems give to connections and to whoever asks for any port: only we take one of these. */
const FIRST_PORT = 20_000
/** Test files run beside each other, each in a process that has so many for itself. */
const PORTS_EACH = 100
const BLOCKS = 120

let taken = 0

/** A port on loopback that is free, and that nobody takes until it is used. */
export async function freePort(): Promise<number> {
  const block = FIRST_PORT + (process.pid % BLOCKS) * PORTS_EACH
  for (let tried = 0; tried < PORTS_EACH; tried++) {
    const port = block + (taken++ % PORTS_EACH)
    if (await isFree(port)) return port
  }
  throw new Error(`no port from ${block} to ${block + PORTS_EACH - 1} is free`)
}

function isFree(port: number): Promise<boolean> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

/** Resolves once a TLS handshake on that port succeeds. */
async function listening(port: number, process: LineProcess): Promise<void> {
  const deadline = performance.now() + START_MS
  while (!(await answersTls(port))) {
    if (process.hasEnded)
      throw new Error(`${process.name} ended at once; it said:\n${process.stderr}`)
    if (performance.now() > deadline) throw new Error(`${process.name} does not listen`)
    await sleep(POLL_MS)
  }
}

function answersTls(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => {
      resolve(false)
    })
  })
}

/** A relay with TLS on a port that it keeps over restarts. */
export class Relay {
  /** `127.0.0.1:<port>` */
  readonly address: string
  readonly #port: number
  readonly #folder: string
  readonly #spawn: () => LineProcess
  #process: LineProcess | undefined

  private constructor(port: number, folder: string, spawn: () => LineProcess) {
    this.address = `127.0.0.1:${port}`
    this.#port = port
    this.#folder = folder
    this.#spawn = spawn
  }

  /** Starts one with no limit on the rate of messages, in a folder of its own. */
  static async start(maker: Maker, options: RelayOptions = {}): Promise<Relay> {
    const port = await freePort()
    const folder = await mkdtemp(path.join(tmpdir(), 'pinhole-relay-'))
    const config = path.join(folder, 'relay.yaml')
    await writeFile(config, configuration(maker, port, folder, options))
    const flags = [`--configfile=${config}`, `--basedir=${folder}`]
    const relay = new Relay(port, folder, () =>
      maker === 'go'
        ? new LineProcess({ name: 'aperture', command: peerBinary('aperture'), args: flags })
        : pinhole('start', ...flags),
    )
    await relay.restart()
    return relay
  }

  get pid(): number | undefined {
    return this.#process?.pid
  }

  /** Ends the process as a crash would. */
  async kill(): Promise<void> {
    await this.#process?.kill()
  }

  /** Starts it again on the same port, and resolves when it listens. */
  async restart(): Promise<void> {
    await this.kill()
    this.#process = this.#spawn()
    await listening(this.#port, this.#process)
  }

  /** Ends it and removes its folder. */
  async stop(): Promise<void> {
    await this.#process?.stop('SIGTERM')
    await rm(this.#folder, { recursive: true, force: true })
  }
}

function configuration(maker: Maker, port: number, folder: string, options: RelayOptions): string {
  const common = [
    `listenaddr: 127.0.0.1:${port}`,
    'servername: localhost',
    'readtimeout: 0s',
    'writetimeout: 0s',
    `wspinginterval: ${options.wsPingInterval ?? '30s'}`,
    `wspongwait: ${options.wsPongWait ?? '15s'}`,
    'hashmail:',
    '  enabled: true',
    '  messagerate: 1ms',
    '  messageburstallowance: 1000000',
  ]
  // Aperture starts no relay without a service, a database and its authenticator turned off.
  const aperture = [
    'dbbackend: sqlite',
    'sqlite:',
    `  databasefilename: '${path.join(folder, 'aperture.db')}'`,
    'authenticator:',
    '  disable: true',
    'services:',
    '- name: none',
    '  hostregexp: ^nowhere$',
    '  address: 127.0.0.1:1',
    '  protocol: http',
    "  auth: 'off'",
  ]
  return `${[...common, ...(maker === 'go' ? aperture : [])].join('\n')}\n`
}
