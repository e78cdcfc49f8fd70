/** `pinhole agent` beside an lnd, in a folder of its own that it may be started in again. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { LineProcess } from './line-process.ts'
import type { Lnd } from './lnd.ts'
import { pinhole } from './pinhole.ts'
import type { Relay } from './relays.ts'

const START_MS = 20_000

/** A running agent. */
export class Agent {
  /** The ten words that pair with it. */
  readonly phrase: string
  readonly #folder: string
  readonly #spawn: () => LineProcess
  #process: LineProcess

  private constructor(
    phrase: string,
    folder: string,
    first: LineProcess,
    spawn: () => LineProcess,
  ) {
    this.phrase = phrase
    this.#folder = folder
    this.#process = first
    this.#spawn = spawn
  }

  /** Starts one whose client gets that macaroon; it waits for the client when this resolves. */
  static async start(
    lnd: Lnd,
    relay: Pick<Relay, 'address'>,
    macaroon: Parameters<Lnd['macaroonPath']>[0],
  ): Promise<Agent> {
    const folder = await mkdtemp(path.join(tmpdir(), 'pinhole-agent-'))
    const flags = [
      ['--lnd', lnd.grpcHost],
      ['--tls', lnd.tlsCertPath],
      ['--macaroon', lnd.macaroonPath(macaroon)],
      ['--mailbox', relay.address],
      ['--basedir', folder],
    ].flat()
    const spawn = () => pinhole('agent', ...flags, '--insecure-tls', '--json')
    const first = spawn()
    try {
      const { phrase } = await first.lineWith('phrase', START_MS)
      if (typeof phrase !== 'string') throw new Error('the agent has printed no phrase')
      return new Agent(phrase, folder, first, spawn)
    } catch (cause) {
      await first.kill()
      await rm(folder, { recursive: true, force: true })
      throw cause
    }
  }

  /** Ends it as a crash would. */
  async kill(): Promise<void> {
    await this.#process.kill()
  }

  /** Ends it as a crash would and starts it again; its client finds it by itself. */
  async restart(): Promise<void> {
    await this.kill()
    this.#process = this.#spawn()
  }

  /** Ends it and removes its folder. */
  async stop(): Promise<void> {
    await this.#process.stop('SIGTERM')
    await rm(this.#folder, { recursive: true, force: true })
  }
}
