/**
 * One door of the node's end: two boxes, Go-Back-N behind them, and a handshake with whoever comes. The
 * phrase's door speaks XX, the keys' door KK (LNC §3).
 */
import type { Clock } from '../../src/base/clock.ts'
import { asPinholeError } from '../../src/base/errors.ts'
import type { Log } from '../../src/base/log.ts'
import type { LncCrypto } from '../crypto/crypto.ts'
import type { GbnLink } from '../gbn/link.ts'
import { listenGbn, type GbnListener } from '../gbn/listen.ts'
import type { Link } from '../link.ts'
import { messageLink } from '../message.ts'
import { evenLink } from '../noise/even-link.ts'
import { respond, type NoiseSession } from '../noise/handshake.ts'
import type { StreamIds } from '../stream-id.ts'
import {
  onUpOrDown,
  openMailbox,
  type MailboxLink,
  type MailboxStatus,
} from '../transport/mailbox-link.ts'
import type { RelayClient } from '../transport/relay-client.ts'
import { Patience } from './patience.ts'

/** What a client turned out to be. */
export interface Peer {
  /** Its static public key, 33 bytes. */
  readonly remoteKey: Uint8Array
  /** Whether it came by the phrase. */
  readonly firstPairing: boolean
  /** Handshake version: below 2 neither end keeps keys, and every connection takes the phrase (LNC §6.4). */
  readonly version: number
}

/** What a door is made of. */
export interface StationOptions {
  readonly relay: RelayClient
  readonly ids: StreamIds
  readonly crypto: LncCrypto
  readonly localKey: Uint8Array
  /** The client's key; without it the door is the phrase's. */
  readonly remoteKey?: Uint8Array | undefined
  /** The stretched phrase, at the phrase's door. */
  readonly stretched?: Promise<Uint8Array> | undefined
  /** The auth data of the next handshake, drawn anew for each. */
  readonly authData: () => Promise<Uint8Array>
  /** Whether a client that comes now may have a handshake. */
  readonly mayEnter: () => boolean
  /** Keeps the client's key; a rejection fails the handshake. */
  readonly onRemoteKey: (key: Uint8Array) => Promise<void>
  /** Serves a client until it leaves. */
  readonly serve: (link: Link, peer: Peer) => Promise<void>
  readonly onStatus: (status: MailboxStatus) => void
  readonly clock: Clock
  readonly log: Log
}

/** Time for the client to take the FIN before the boxes go, and what is in them. */
const FIN_GRACE_MS = 50

export class Station {
  readonly #options: StationOptions
  readonly #mailbox: MailboxLink
  readonly #gbn: GbnListener
  readonly #visits = new Set<Promise<void>>()
  readonly #accepting: Promise<void>
  readonly #patience = new Patience()
  #wake: () => void = () => {}
  #retiring: Promise<void> | undefined

  constructor(options: StationOptions) {
    const { relay, ids, clock, log } = options
    const { serverToClient: sendId, clientToServer: receiveId } = ids
    this.#options = options
    this.#mailbox = openMailbox(relay, { sendId, receiveId }, { owner: true, clock, log })
    this.#mailbox.onStatus(options.onStatus)
    this.#gbn = listenGbn(this.#mailbox, {
      clock,
      log,
      onLower: (changed) => onUpOrDown(this.#mailbox, changed),
    })
    this.#accepting = this.#accept()
  }

  get status(): MailboxStatus {
    return this.#mailbox.status
  }

  /** Ends the connection there is by FIN, deletes both boxes and lets go. Idempotent; never rejects. */
  retire(): Promise<void> {
    this.#retiring ??= this.#close()
    return this.#retiring
  }

  async #close(): Promise<void> {
    const busy = this.#visits.size > 0
    this.#wake()
    await this.#gbn.close()
    if (busy) await pause(FIN_GRACE_MS, this.#options.clock)
    await this.#mailbox.retire()
    await this.#accepting
    await Promise.all(this.#visits)
  }

  async #accept(): Promise<void> {
    try {
      for (;;) {
        const gbn = await this.#gbn.accept()
        await this.#rest()
        // Not awaited: a client that starts over is served at once.
        const visit = this.#visit(gbn).finally(() => this.#visits.delete(visit))
        this.#visits.add(visit)
      }
    } catch {
      // The listener is closed.
    }
  }

  /** Waits as long as the clients before have deserved, at most until this door is left. */
  #rest(): Promise<void> {
    const { waitMs } = this.#patience
    if (waitMs === 0 || this.#retiring) return Promise.resolve()
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(waitMs, resolve)
      this.#wake = () => {
        cancel()
        resolve()
      }
    })
  }

  async #visit(gbn: GbnLink): Promise<void> {
    const { mayEnter, serve, log } = this.#options
    let proved = false
    const onRecord = () => {
      proved = true
      this.#patience.proved()
    }
    try {
      if (!mayEnter()) return
      const { link, remoteStatic, version } = await this.#shakeHands(gbn)
      const firstPairing = this.#options.remoteKey === undefined
      log.info({ firstPairing, version }, 'a client is connected')
      await serve(evenLink(heard(link, onRecord)), {
        remoteKey: remoteStatic,
        firstPairing,
        version,
      })
      log.info({}, 'the client is gone')
    } catch (reason) {
      const { code, message } = asPinholeError(reason, 'ERR_LINK_CLOSED')
      log.warn({ code, reason: message }, 'a client could not be served')
    } finally {
      if (!proved) this.#patience.failed()
      await gbn.close()
    }
  }

  async #shakeHands(gbn: GbnLink): Promise<NoiseSession> {
    const { crypto, clock, localKey, remoteKey, stretched, authData, onRemoteKey } = this.#options
    return respond(messageLink(gbn), {
      crypto,
      clock,
      static: localKey,
      remoteStatic: remoteKey,
      stretched: await stretched,
      authData: await authData(),
      onRemoteStatic: onRemoteKey,
    })
  }
}

/** `link`, with `onRecord` told of its first record: one that opens proves more than a handshake, which can be replayed. */
function heard(link: Link, onRecord: () => void): Link {
  let tell: (() => void) | undefined = onRecord
  return {
    send: (message) => link.send(message),
    receive: async () => {
      const message = await link.receive()
      if (message) tell?.()
      tell = undefined
      return message
    },
    close: () => link.close(),
  }
}

const pause = (ms: number, clock: Clock): Promise<void> =>
  new Promise((resolve) => clock.after(ms, resolve))
