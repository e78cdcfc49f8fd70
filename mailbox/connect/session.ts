/**
 * A session with a node that heals itself: one attempt after the other, each until its connection ends.
 *
 *     connecting ─► ready ─► reconnecting ─► ready …          closed from anywhere
 *                   │  ▲       ▲
 *                   ▼  │       │
 *                  silent ─────┘
 *
 * `attempt.ts` makes a connection, `symptom.ts` says what is in the way of one; here is when to try which
 * door, when to give up, and what the calls see.
 */
import { wipe } from '../../src/base/bytes.ts'
import type { Clock } from '../../src/base/clock.ts'
import { asPinholeError, PinholeError } from '../../src/base/errors.ts'
import type { Log } from '../../src/base/log.ts'
import type { LncCrypto } from '../crypto/crypto.ts'
import { holdProcess } from '../hold-process.ts'
import type { Version } from '../noise/version.ts'
import { macaroonExpiryMs } from '../pairing/macaroon-expiry.ts'
import type { Notebook } from '../pairing/notebook.ts'
import { parsePhrase } from '../phrase.ts'
import { stretch } from '../stretch.ts'
import type { Channel } from '../rpc/channel.ts'
import type { Metadata } from '../rpc/rpc.ts'
import { backoffMs } from '../transport/backoff.ts'
import type { MailboxStatus } from '../transport/mailbox-link.ts'
import type { RelayClient } from '../transport/relay-client.ts'
import { announce } from './announce.ts'
import { attempt, type Connection } from './attempt.ts'
import { Findings } from './findings.ts'
import { Knock, OTHER_DOOR } from './knock.ts'
import type { SessionState } from './state.ts'
import {
  handshakeSymptom,
  PAIRED_NOT_FOUND_MS,
  PATIENCE_MS,
  relaySymptom,
  silentSymptom,
  type Sought,
  type Symptom,
  unheardError,
} from './symptom.ts'
import { targets, type Target } from './target.ts'

/** What a session is made of. */
export interface SessionOptions {
  readonly notebook: Notebook
  readonly crypto: LncCrypto
  readonly openRelay: () => RelayClient
  readonly minVersion: Version | undefined
  /** How long the node may answer nothing before the state says so; `undefined` for as long as the protocol lets it. */
  readonly silenceMs: number | undefined
  /** Whether the first connection may take for ever. */
  readonly patient: boolean
  readonly clock: Clock
  readonly log: Log
}

/** Between attempts whose handshake failed, and after connections that broke as soon as they stood. */
const RETRY = { firstMs: 50, maxMs: 2000 }

/** A connection that lasted this long starts the backoff anew. */
const STABLE_MS = 5000

/**
 * After a loss: what has to last before it counts as the reason. A node that restarts has no boxes for a
 * moment, and every relay that is asked is silent at first.
 */
const SETTLE_MS: Partial<Record<Symptom['kind'], number>> = { 'not-found': 2000, silent: 2000 }

export class Session {
  #macaroon = ''
  readonly #options: SessionOptions
  readonly #listeners = new Set<(state: SessionState) => void>()
  readonly #stop = new AbortController()
  #state: SessionState = { name: 'connecting', reason: undefined }
  #channel: Channel | undefined
  readonly #findings = new Findings()
  #symptom: Symptom | undefined
  #stopPatience = () => {}
  #stretched: Promise<Uint8Array> | undefined
  #failures = 0
  #door = 0
  readonly #release = holdProcess()
  #running: Promise<void>
  /** Connections that are being closed. */
  #letGo: Promise<unknown> = Promise.resolve()

  constructor(options: SessionOptions) {
    this.#options = options
    const { phrase, remoteKey } = options.notebook.pairing
    if (phrase !== undefined && !remoteKey) void this.#stretch(phrase)
    this.#running = this.#run()
  }

  get state(): SessionState {
    return this.#state
  }

  /** The channel of the connection that stands. */
  get channel(): Channel | undefined {
    return this.#channel
  }

  /** The newest macaroon of the node in hex; empty before the first handshake. A secret. */
  get macaroon(): string {
    return this.#macaroon
  }

  /** Calls `listener` after every change; the returned function ends that. */
  onState(listener: (state: SessionState) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Ends the connection in order and lets go of everything. Idempotent; never rejects. */
  async close(reason?: PinholeError): Promise<void> {
    this.#end(reason)
    await this.#running
    await this.#letGo
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const startedMs = this.#options.clock.now()
      let door: Target['door'] = 'phrase'
      try {
        const target = this.#target()
        door = target.door
        const connection = await this.#connect(target)
        await this.#use(connection)
        if (this.#options.clock.now() - startedMs > STABLE_MS) this.#failures = 0
      } catch (reason) {
        this.#door++
        if (reason === OTHER_DOOR || this.#stop.signal.aborted) continue
        this.#find(door, handshakeSymptom(asPinholeError(reason, 'ERR_LINK_CLOSED')))
      }
      await this.#pause(backoffMs(this.#failures++, RETRY, Math.random))
    }
  }

  /** The door whose turn it is. */
  #target(): Target {
    const doors = this.#doors()
    const target = doors[this.#door % doors.length]
    if (!target) throw new PinholeError('ERR_SESSION_KEYS', 'neither a phrase nor keys are left')
    return target
  }

  #doors(): readonly Target[] {
    return targets(this.#options.notebook.pairing, this.#options.crypto)
  }

  /** One attempt at a door. */
  async #connect(target: Target): Promise<Connection> {
    const { notebook, clock, log, crypto, openRelay, minVersion, silenceMs } = this.#options
    const knock = new Knock({
      other: this.#doors().length > 1,
      clock,
      signal: this.#stop.signal,
      onSilent: () => this.#find(target.door, silentSymptom(this.#sought())),
    })
    log.debug({ door: target.door }, 'connecting')
    try {
      return await attempt({
        target,
        localKey: notebook.pairing.localKey,
        stretched: () => this.#stretch(notebook.pairing.phrase ?? ''),
        crypto,
        openRelay,
        minVersion,
        silenceMs,
        clock,
        log,
        onHearing: (isHeard) => this.#hears(isHeard),
        onMailbox: (status) => this.#watch(status, knock, target),
        onAnswer: () => knock.end(),
        onRemoteKey: (key) => notebook.keepRemoteKey(key),
        onMetadata: (metadata) => this.#keep(metadata, target),
        signal: knock.signal,
      })
    } finally {
      knock.end()
    }
  }

  /** What act two brought; that it came at the keys' door means that the node has our key. */
  async #keep(metadata: Metadata, { door }: Target): Promise<void> {
    const { notebook } = this.#options
    const macaroon = metadata.find(([name]) => name === 'macaroon')?.[1] ?? ''
    this.#macaroon = macaroon
    await notebook.keepExpiry(macaroonExpiryMs(macaroon))
    if (door === 'keys') await notebook.forgetPhrase()
  }

  async #use(connection: Connection): Promise<void> {
    const { log, notebook } = this.#options
    this.#channel = connection.channel
    this.#clearSymptom()
    this.#door = 0
    if (notebook.pairing.phrase === undefined) this.#forgetStretched()
    this.#enter({ name: 'ready' })
    log.info({}, 'connected to the node')
    const hangUp = () => void connection.close()
    this.#stop.signal.addEventListener('abort', hangUp)
    if (this.#stop.signal.aborted) hangUp()
    const error = await connection.lost
    this.#channel = undefined
    if (this.#stop.signal.aborted) return connection.close()
    const why = error ?? new PinholeError('ERR_SESSION_CLOSED', 'the node ended the connection')
    log.info({ code: why.code, reason: why.message }, 'connection lost')
    this.#enter({ name: 'reconnecting', reason: why })
    this.#stop.signal.removeEventListener('abort', hangUp)
    this.#letGo = Promise.all([this.#letGo, connection.close()])
  }

  #hears(isHeard: boolean): void {
    const { log, notebook } = this.#options
    if (isHeard && this.#state.name === 'silent') {
      log.info({}, 'the node answers again')
      this.#enter({ name: 'ready' })
    } else if (!isHeard && this.#state.name === 'ready') {
      const reason = unheardError(notebook.pairing.mailbox)
      log.info({ code: reason.code }, 'the node does not answer')
      this.#enter({ name: 'silent', reason })
    }
  }

  #watch(status: MailboxStatus, knock: Knock, { door }: Target): void {
    if (status.name === 'failing') {
      knock.troubled(status.failure.kind)
      this.#find(door, relaySymptom(status.failure, this.#sought()))
    } else if (status.name === 'open') {
      knock.troubled('silent')
    }
  }

  #sought(): Sought {
    const { notebook } = this.#options
    return { where: notebook.pairing.mailbox, ...notebook.standing() }
  }

  #find(door: Target['door'], symptom: Symptom): void {
    this.#observe(this.#findings.note(door, symptom))
  }

  /** Notes what is in the way; the same kind again does not start its patience anew. */
  #observe(symptom: Symptom): void {
    const same = symptom.kind === this.#symptom?.kind
    this.#symptom = symptom
    if (this.#state.name === 'connecting') {
      this.#enter({ name: 'connecting', reason: symptom.error })
      if (!same) this.#after(this.#patienceMs(symptom.kind), () => this.#end(this.#symptom?.error))
    } else if (symptom.kind === 'expired') {
      this.#end(symptom.error)
    } else if (!same) {
      this.#after(SETTLE_MS[symptom.kind] ?? 0, () => this.#report())
    }
  }

  #patienceMs(kind: Symptom['kind']): number {
    const { patient, notebook } = this.#options
    if (patient && kind !== 'expired' && kind !== 'hopeless') return Infinity
    const missing = kind === 'not-found' && notebook.standing().paired
    return missing ? PAIRED_NOT_FOUND_MS : PATIENCE_MS[kind]
  }

  /** Says why there is no connection, now that it is more than a moment. */
  #report(): void {
    if (this.#symptom && this.#state.name === 'reconnecting') {
      this.#enter({ name: 'reconnecting', reason: this.#symptom.error })
    }
  }

  #after(ms: number, action: () => void): void {
    this.#stopPatience()
    if (ms === 0) action()
    else if (ms < Infinity) this.#stopPatience = this.#options.clock.after(ms, action)
  }

  #clearSymptom(): void {
    this.#stopPatience()
    this.#findings.clear()
    this.#symptom = undefined
  }

  #enter(next: SessionState): void {
    if (this.#state.name === 'closed') return
    this.#state = next
    announce(this.#listeners, next, this.#options.log)
  }

  #end(reason: PinholeError | undefined): void {
    if (this.#state.name === 'closed') return
    this.#clearSymptom()
    this.#enter({ name: 'closed', reason })
    this.#release()
    this.#forgetStretched()
    this.#stop.abort(reason ?? new PinholeError('ERR_SESSION_CLOSED', 'the session was closed'))
  }

  #stretch(phrase: string): Promise<Uint8Array> {
    this.#stretched ??= stretch(parsePhrase(phrase), this.#options.crypto)
    this.#stretched.catch(() => {})
    return this.#stretched
  }

  #forgetStretched(): void {
    void this.#stretched?.then((key) => wipe(key))
    this.#stretched = undefined
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const { signal } = this.#stop
      if (signal.aborted) return resolve()
      const stop = this.#options.clock.after(ms, () => {
        signal.removeEventListener('abort', abort)
        resolve()
      })
      const abort = () => {
        stop()
        resolve()
      }
      signal.addEventListener('abort', abort, { once: true })
    })
  }
}
