/** A litd with its lnd, as a program that `Lnd` runs in, and what litcli is asked of it. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { z } from 'zod'
import type { LndProgram } from './lnd.ts'
import { peerBinary } from './peers.ts'
import { freePort } from './relays.ts'

const CALL_MS = 20_000
/** What litd runs besides lnd unless told otherwise. */
const COMPANIONS = ['faraday', 'loop', 'pool', 'taproot-assets']

const Session = z.object({
  label: z.string(),
  session_state: z.string(),
  pairing_secret_mnemonic: z.string(),
  mailbox_server_addr: z.string(),
  dev_server: z.boolean(),
  local_public_key: z.string(),
})
const Added = z.object({ session: Session })
const Sessions = z.object({ sessions: z.array(Session) })

/** A session of LNC, as litd tells of it. */
export type LitSession = z.infer<typeof Session>

/** Where a litd is, running or not. */
export class Litd {
  /** What its lnd is started in. */
  readonly program: LndProgram
  readonly #folder: string
  readonly #port: number

  private constructor(folder: string, port: number) {
    this.#folder = folder
    this.#port = port
    this.program = { peer: 'litd', flags: (own) => this.#flags(own) }
  }

  /** Prepares one; it runs once an lnd is started in its program. */
  static async create(): Promise<Litd> {
    return new Litd(await mkdtemp(path.join(tmpdir(), 'pinhole-litd-')), await freePort())
  }

  /** `litcli sessions add …`, with the words that follow. */
  async addSession(...words: readonly string[]): Promise<LitSession> {
    return Added.parse(await this.litcli('sessions', 'add', ...words)).session
  }

  /** All sessions, the ended ones too. */
  async sessions(): Promise<readonly LitSession[]> {
    return Sessions.parse(await this.litcli('sessions', 'list', 'all')).sessions
  }

  async revoke({ local_public_key: key }: LitSession): Promise<void> {
    await this.litcli('sessions', 'revoke', '--localpubkey', key)
  }

  /** What litcli answers. @throws with what it said when it failed */
  async litcli(...words: readonly string[]): Promise<unknown> {
    const where = [
      `--rpcserver=127.0.0.1:${this.#port}`,
      `--basedir=${this.#folder}`,
      '--network=simnet',
    ]
    const options = { timeout: CALL_MS }
    const { stdout } = await promisify(execFile)(
      peerBinary('litcli'),
      [...where, ...words],
      options,
    )
    return JSON.parse(stdout)
  }

  /** Removes its folder, once it has ended. */
  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true })
  }

  #flags(own: readonly string[]): readonly string[] {
    return [
      '--network=simnet',
      '--lnd-mode=integrated',
      `--lit-dir=${this.#folder}`,
      `--httpslisten=127.0.0.1:${this.#port}`,
      '--disableui',
      // The newer sqldb that it is built with does not take its migrations.
      '--databasebackend=bbolt',
      '--autopilot.disable',
      ...COMPANIONS.map((name) => `--${name}-mode=disable`),
      ...own.map((flag) => flag.replace('--', '--lnd.')),
    ]
  }
}
