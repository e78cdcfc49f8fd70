/** One btcd on simnet, which mines when told to. */
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { requestJson } from './https-json.ts'
import { LineProcess } from './line-process.ts'
import { peerBinary } from './peers.ts'
import { freePort } from './relays.ts'

const USER = 'pinhole'
const PASSWORD = 'simnet'
const START_MS = 15_000
const POLL_MS = 50

const Answer = z.object({ result: z.unknown(), error: z.unknown() })

/** A running btcd. */
export class Btcd {
  readonly #folder: string
  readonly #rpcPort: number
  readonly #peerPort: number
  #process: LineProcess
  #certificate = ''

  private constructor(folder: string, rpcPort: number, peerPort: number, address: string) {
    this.#folder = folder
    this.#rpcPort = rpcPort
    this.#peerPort = peerPort
    this.#process = this.#spawn(address)
  }

  /** Starts it in `folder`; mined coins go to `address`. */
  static async start(folder: string, address: string): Promise<Btcd> {
    // Without a file of its own it looks for a sample beside its binary.
    await writeFile(path.join(folder, 'btcd.conf'), '')
    const btcd = new Btcd(folder, await freePort(), await freePort(), address)
    await btcd.#ready()
    return btcd
  }

  /** What lnd is told of it. */
  get lndFlags(): readonly string[] {
    return [
      '--bitcoin.node=btcd',
      `--btcd.rpchost=127.0.0.1:${this.#rpcPort}`,
      `--btcd.rpcuser=${USER}`,
      `--btcd.rpcpass=${PASSWORD}`,
      `--btcd.rpccert=${path.join(this.#folder, 'rpc.cert')}`,
    ]
  }

  /** Starts it again; mined coins go to `address` from now on. */
  async mineTo(address: string): Promise<void> {
    await this.#process.stop('SIGTERM')
    this.#process = this.#spawn(address)
    await this.#ready()
  }

  async generate(blocks: number): Promise<void> {
    await this.#call('generate', [blocks])
  }

  async height(): Promise<number> {
    return z.number().parse(await this.#call('getblockcount', []))
  }

  async stop(): Promise<void> {
    await this.#process.stop('SIGTERM')
  }

  #spawn(address: string): LineProcess {
    const flags = [
      '--simnet',
      `--configfile=${path.join(this.#folder, 'btcd.conf')}`,
      `--datadir=${path.join(this.#folder, 'data')}`,
      `--logdir=${path.join(this.#folder, 'logs')}`,
      `--listen=127.0.0.1:${this.#peerPort}`,
      `--rpclisten=127.0.0.1:${this.#rpcPort}`,
      `--rpcuser=${USER}`,
      `--rpcpass=${PASSWORD}`,
      `--rpccert=${path.join(this.#folder, 'rpc.cert')}`,
      `--rpckey=${path.join(this.#folder, 'rpc.key')}`,
      `--miningaddr=${address}`,
      '--debuglevel=error',
      '--nodnsseed',
    ]
    return new LineProcess({ name: 'btcd', command: peerBinary('btcd'), args: flags })
  }

  async #ready(): Promise<void> {
    const deadline = performance.now() + START_MS
    for (;;) {
      try {
        this.#certificate = await readFile(path.join(this.#folder, 'rpc.cert'), 'utf8')
        await this.height()
        return
      } catch (cause) {
        if (this.#process.hasEnded || performance.now() > deadline) {
          throw new Error(`btcd does not start; it said:\n${this.#process.stderr}`, { cause })
        }
        await sleep(POLL_MS)
      }
    }
  }

  async #call(method: string, params: readonly unknown[]): Promise<unknown> {
    const answer = await requestJson({
      port: this.#rpcPort,
      path: '/',
      method: 'POST',
      ca: this.#certificate,
      headers: { authorization: `Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString('base64')}` },
      body: { jsonrpc: '1.0', id: 1, method, params },
      timeoutMs: 60_000,
    })
    const { result, error } = Answer.parse(answer)
    if (error !== null && error !== undefined)
      throw new Error(`${method}: ${JSON.stringify(error)}`)
    return result
  }
}
