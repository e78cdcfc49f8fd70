/**
 * The doors of a node's end over its life (LNC §3, §11.1).
 *
 *     phrase's door ─key of a client kept─► both doors ─its connection ends, or it is back─► keys' door
 *
 * The connection that paired stays on the phrase's ids until it ends. The keys' door opens as soon as the
 * key is kept, so a client is served at once however it left; from then on the phrase's lets no one in.
 */
import { wipe } from '../../src/base/bytes.ts'
import type { Clock } from '../../src/base/clock.ts'
import { asPinholeError, type PinholeError } from '../../src/base/errors.ts'
import type { Log } from '../../src/base/log.ts'
import { announce } from '../connect/announce.ts'
import type { LncCrypto } from '../crypto/crypto.ts'
import { holdProcess } from '../hold-process.ts'
import type { Link } from '../link.ts'
import type { Notebook } from '../pairing/notebook.ts'
import { parsePhrase } from '../phrase.ts'
import { pairedStreamIds, pairingStreamIds, type StreamIds } from '../stream-id.ts'
import { stretch } from '../stretch.ts'
import type { MailboxStatus } from '../transport/mailbox-link.ts'
import type { RelayClient } from '../transport/relay-client.ts'
import { Station, type Peer } from './station.ts'

/** Where a listener stands. */
export type ListenerState =
  /** The boxes are not there yet, or were lost; `reason`: what is in the way. It goes on trying. */
  | { readonly name: 'connecting'; readonly reason: PinholeError | undefined }
  /** Clients can come. */
  | { readonly name: 'listening' }
  /** A client is connected. */
  | { readonly name: 'serving' }
  | { readonly name: 'closed' }

/** What the doors are made of. */
export interface DoorsOptions {
  readonly notebook: Notebook
  readonly crypto: LncCrypto
  readonly relay: RelayClient
  readonly authData: (client: Uint8Array | undefined) => Promise<Uint8Array>
  readonly serve: (link: Link, peer: Peer) => Promise<void>
  readonly clock: Clock
  readonly log: Log
}

export class Doors {
  readonly #options: DoorsOptions
  readonly #listeners = new Set<(state: ListenerState) => void>()
  #state: ListenerState = { name: 'connecting', reason: undefined }
  #phrase: Station | undefined
  #keys: Station | undefined
  #stretched: Promise<Uint8Array> | undefined
  #serving = 0
  /** The phrase's boxes on their way out. */
  #leavingPhrase: Promise<void> | undefined
  #closing: Promise<void> | undefined
  readonly #release = holdProcess()

  constructor(options: DoorsOptions) {
    this.#options = options
    const { remoteKey, phrase } = options.notebook.pairing
    if (remoteKey) {
      this.#openKeys(remoteKey)
      // Left behind by a process that stopped before it could delete them.
      if (phrase !== undefined) this.#leavingPhrase = this.#deletePhraseBoxes(phrase)
    } else if (phrase !== undefined) {
      this.#openPhrase(phrase)
    }
  }

  get state(): ListenerState {
    return this.#state
  }

  onState(listener: (state: ListenerState) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Ends connections by FIN, deletes the boxes, lets go of the relay. Idempotent; never rejects. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#enter({ name: 'closed' })
    await Promise.all([this.#phrase?.retire(), this.#keys?.retire(), this.#leavingPhrase])
    this.#forgetStretched()
    await this.#options.relay.close()
    this.#release()
  }

  #openPhrase(phrase: string): void {
    const { crypto } = this.#options
    const entropy = parsePhrase(phrase)
    this.#stretched = stretch(entropy, crypto)
    this.#stretched.catch(() => {})
    this.#phrase = this.#station(pairingStreamIds(entropy, crypto), { stretched: this.#stretched })
  }

  #openKeys(remoteKey: Uint8Array): void {
    const { crypto, notebook } = this.#options
    const ids = pairedStreamIds(notebook.pairing.localKey, remoteKey, crypto)
    this.#keys = this.#station(ids, { remoteKey })
  }

  #station(
    ids: StreamIds,
    door: { stretched: Promise<Uint8Array> } | { remoteKey: Uint8Array },
  ): Station {
    const { relay, crypto, notebook, clock, log } = this.#options
    const phrase = 'stretched' in door
    return new Station({
      relay,
      ids,
      crypto,
      ...door,
      localKey: notebook.pairing.localKey,
      authData: () => this.#options.authData(phrase ? undefined : door.remoteKey),
      mayEnter: () => !phrase || this.#phraseStands(),
      onRemoteKey: (key) => this.#keep(key),
      serve: (link, peer) => this.#serve(link, peer),
      onStatus: () => this.#look(),
      clock,
      log,
    })
  }

  /** Whether a client may come by the phrase; one that tries in vain tells that the first is gone. */
  #phraseStands(): boolean {
    if (!this.#options.notebook.pairing.remoteKey) return true
    this.#leavePhrase()
    return false
  }

  async #keep(remoteKey: Uint8Array): Promise<void> {
    if (this.#keys) return
    await this.#options.notebook.keepRemoteKey(remoteKey)
    if (!this.#closing) this.#openKeys(remoteKey)
  }

  async #serve(link: Link, peer: Peer): Promise<void> {
    if (!peer.firstPairing) this.#leavePhrase()
    this.#serving++
    this.#look()
    try {
      await this.#options.serve(link, peer)
    } finally {
      this.#serving--
      this.#look()
      await link.close()
      if (peer.firstPairing && this.#keys) this.#leavePhrase()
    }
  }

  /** The phrase has done its work: its connection ends and its boxes go. */
  #leavePhrase(): void {
    const station = this.#phrase
    if (!station) return
    this.#phrase = undefined
    this.#forgetStretched()
    this.#leavingPhrase = station.retire().then(() => this.#forgetPhrase())
  }

  async #deletePhraseBoxes(phrase: string): Promise<void> {
    const { relay, crypto, log } = this.#options
    const ids = pairingStreamIds(parsePhrase(phrase), crypto)
    const failures = await Promise.all(
      [ids.serverToClient, ids.clientToServer].map((id) => relay.deleteBox(id)),
    )
    const failed = failures.find((failure) => failure !== undefined)
    if (!failed) return this.#forgetPhrase()
    log.debug({ reason: failed.error.message }, "the phrase's boxes are not deleted yet")
  }

  async #forgetPhrase(): Promise<void> {
    try {
      await this.#options.notebook.forgetPhrase()
    } catch (reason) {
      const { message } = asPinholeError(reason, 'ERR_SESSION_STORE')
      this.#options.log.warn({ reason: message }, 'the used phrase is still in the store')
    }
  }

  #forgetStretched(): void {
    void this.#stretched?.then((key) => wipe(key))
    this.#stretched = undefined
  }

  #look(): void {
    if (this.#serving > 0) return this.#enter({ name: 'serving' })
    const status: MailboxStatus | undefined = (this.#keys ?? this.#phrase)?.status
    if (status?.name === 'open') return this.#enter({ name: 'listening' })
    const reason = status?.name === 'failing' ? status.failure.error : undefined
    this.#enter({ name: 'connecting', reason })
  }

  #enter(next: ListenerState): void {
    const last = this.#state
    if (last.name === 'closed') return
    this.#state = next
    if (next.name === last.name && reasonOf(next)?.code === reasonOf(last)?.code) return
    this.#report(next)
    announce(this.#listeners, next, this.#options.log)
  }

  #report(state: ListenerState): void {
    const { log } = this.#options
    const reason = reasonOf(state)
    if (reason) log.warn({ code: reason.code, reason: reason.message }, 'no way to the relay yet')
    else if (state.name === 'listening') log.info({}, 'clients can come')
  }
}

const reasonOf = (state: ListenerState): PinholeError | undefined =>
  state.name === 'connecting' ? state.reason : undefined
