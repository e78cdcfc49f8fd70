/** One lnd on simnet, reached over its REST port. */
import { mkdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { requestJson } from './https-json.ts'
import { LineProcess } from './line-process.ts'
import { peerBinary, type PeerName } from './peers.ts'
import { freePort } from './relays.ts'
import type { Btcd } from './btcd.ts'

const START_MS = 60_000
const CALL_MS = 60_000
const POLL_MS = 100

const Info = z.object({
  identity_pubkey: z.string(),
  synced_to_chain: z.boolean(),
  num_active_channels: z.number(),
})

const State = z.object({ state: z.string() })

interface Ports {
  readonly grpc: number
  readonly rest: number
  readonly peer: number
}

/** The program that an lnd runs in. */
export interface LndProgram {
  readonly peer: PeerName
  /** What the program is told, by what lnd is to be told. */
  readonly flags: (own: readonly string[]) => readonly string[]
}

const ALONE: LndProgram = { peer: 'lnd', flags: (own) => ['--bitcoin.simnet', ...own] }

/** A running lnd. */
export class Lnd {
  readonly alias: string
  /** `127.0.0.1:<port>` of its gRPC server. */
  readonly grpcHost: string
  readonly tlsCertPath: string
  /** Folder with `admin.macaroon`, `invoice.macaroon`, `readonly.macaroon` and more. */
  readonly macaroonFolder: string
  readonly #folder: string
  readonly #ports: Ports
  readonly #btcd: Btcd
  readonly #program: LndProgram
  #process: LineProcess

  private constructor(
    alias: string,
    folder: string,
    ports: Ports,
    { btcd, program }: { readonly btcd: Btcd; readonly program: LndProgram },
  ) {
    this.alias = alias
    this.#folder = folder
    this.#ports = ports
    this.#btcd = btcd
    this.#program = program
    this.grpcHost = `127.0.0.1:${ports.grpc}`
    this.tlsCertPath = path.join(folder, 'tls.cert')
    this.macaroonFolder = path.join(folder, 'data/chain/bitcoin/simnet')
    this.#process = this.#spawn()
  }

  /** Starts it in `folder`; it answers calls, and knows the chain, when this resolves. */
  static async start(
    alias: string,
    folder: string,
    btcd: Btcd,
    program: LndProgram = ALONE,
  ): Promise<Lnd> {
    await mkdir(folder, { recursive: true })
    const ports = { grpc: await freePort(), rest: await freePort(), peer: await freePort() }
    const lnd = new Lnd(alias, folder, ports, { btcd, program })
    await lnd.synced()
    return lnd
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  /** `host:port` for other nodes. */
  get peerHost(): string {
    return `127.0.0.1:${this.#ports.peer}`
  }

  macaroonPath(name: 'admin' | 'invoice' | 'readonly'): string {
    return path.join(this.macaroonFolder, `${name}.macaroon`)
  }

  async info(): Promise<z.infer<typeof Info>> {
    return Info.parse(await this.rest('GET', '/v1/getinfo'))
  }

  /** A call of lnd's REST API with the admin macaroon. */
  async rest(
    method: 'GET' | 'POST' | 'DELETE',
    resource: string,
    body?: unknown,
  ): Promise<unknown> {
    const macaroon = await readFile(this.macaroonPath('admin'), 'hex')
    return requestJson({
      port: this.#ports.rest,
      path: resource,
      method,
      body,
      ca: await readFile(this.tlsCertPath, 'utf8'),
      headers: { 'grpc-metadata-macaroon': macaroon },
      timeoutMs: CALL_MS,
    })
  }

  /** Resolves when `holds` does; rejects after a minute, naming what was waited for. */
  async until(what: string, holds: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + START_MS
    let last: unknown
    while (!this.#process.hasEnded && performance.now() < deadline) {
      try {
        if (await holds()) return
      } catch (cause) {
        last = cause
      }
      await sleep(POLL_MS)
    }
    const said = this.#process.stderr
    throw new Error(`${this.alias}: not ${what} in time; it said:\n${said}`, { cause: last })
  }

  /** Resolves when it has started wholly and read the whole chain. */
  synced(): Promise<void> {
    return this.until('synced', async () => {
      const { state } = State.parse(await this.rest('GET', '/v1/state'))
      return state === 'SERVER_ACTIVE' && (await this.info()).synced_to_chain
    })
  }

  /** Ends it as a crash would. */
  async kill(): Promise<void> {
    await this.#process.kill()
  }

  async restart(): Promise<void> {
    await this.stop()
    this.#process = this.#spawn()
    await this.synced()
  }

  async stop(): Promise<void> {
    await this.#process.stop('SIGTERM')
  }

  #spawn(): LineProcess {
    const flags = [
      ...this.#btcd.lndFlags,
      `--lnddir=${this.#folder}`,
      `--alias=${this.alias}`,
      `--rpclisten=127.0.0.1:${this.#ports.grpc}`,
      `--restlisten=127.0.0.1:${this.#ports.rest}`,
      `--listen=127.0.0.1:${this.#ports.peer}`,
      '--noseedbackup',
      '--nobootstrap',
      '--bitcoin.defaultchanconfs=1',
      '--trickledelay=50',
      '--gossip.sub-batch-delay=5ms',
      '--db.batch-commit-interval=10ms',
      '--debuglevel=error',
    ]
    const { peer, flags: all } = this.#program
    return new LineProcess({ name: this.alias, command: peerBinary(peer), args: all(flags) })
  }
}
