/**
 * The client end of LNC: pairs with a node by its phrase, or meets it again by keys, and gives its RPC. What
 * the ends keep of each other and how they heal is in `notebook.ts` and `session.ts`.
 */
import { systemClock, type Clock } from '../../src/base/clock.ts'
import { PinholeError } from '../../src/base/errors.ts'
import { checkKinds } from '../../src/base/kinds.ts'
import { silentLog, type Log } from '../../src/base/log.ts'
import type { Version } from '../noise/version.ts'
import { Notebook, type PairingKeys } from '../pairing/notebook.ts'
import type { PairingStore } from '../pairing/pairing.ts'
import { LightningNode } from '../rpc/lightning-node.ts'
import { parseMailbox } from '../transport/address.ts'
import { checkReach, type Platform, REACH_KINDS, type TransportName } from './platform.ts'
import { SessionRpc } from './session-rpc.ts'
import { Session } from './session.ts'
import type { SessionState } from './state.ts'

/** Whom to reach, and how. */
export interface ConnectOptions {
  /**
   * The relay: `host:port` with TLS, `http://host:port` without (a relay that runs with `insecure: true`).
   * May be left out when `store` knows it.
   */
  readonly mailbox?: string | undefined
  /** The pairing phrase, for the first connection and, with the same `store`, any later one. */
  readonly phrase?: string | undefined
  /** Keys of an earlier pairing, in place of a phrase. */
  readonly keys?: PairingKeys | undefined
  /**
   * Where the pairing is kept. Without one a phrase serves this process only: it is worthless once used,
   * and the keys are gone with `close`.
   */
  readonly store?: PairingStore | undefined
  /** Default `websocket`, which browsers have too; `grpc` is faster. */
  readonly transport?: TransportName | undefined
  /** Accept any certificate of the relay. Default false. */
  readonly insecureTls?: boolean | undefined
  /** Certificates in PEM to trust in place of the system's. */
  readonly ca?: string | Uint8Array | undefined
  /** Lowest handshake version to accept. Default 2: the version byte is not authenticated (LNC §6.4). */
  readonly minVersion?: Version | undefined
  /** Gives up making the first connection, and closes the session when aborted later. */
  readonly signal?: AbortSignal | undefined
  /**
   * How long the first connection may take, in milliseconds. Default 15 000; `Infinity` waits as long as
   * the cause may pass, so that a service can start before its node does.
   */
  readonly timeoutMs?: number | undefined
  /**
   * After how many milliseconds without an answer of the node's end the state says `silent`; it is also asked
   * after as long without a word. Default: only what the protocol does, which takes up to 10 s.
   */
  readonly silenceMs?: number | undefined
  /** Told of every change of the state, also while the first connection is made. */
  readonly onState?: ((state: SessionState) => void) | undefined
  readonly clock?: Clock | undefined
  readonly log?: Log | undefined
}

/** Default of `timeoutMs`. */
export const CONNECT_TIMEOUT_MS = 15_000

/** The node at the other end, over a session that heals itself until it is closed. */
export class PairedNode extends LightningNode {
  readonly #session: Session
  readonly #notebook: Notebook

  constructor(session: Session, notebook: Notebook, clock: Clock) {
    super(new SessionRpc(session, clock))
    this.#session = session
    this.#notebook = notebook
  }

  /** Whether calls go through, and if not, why. */
  get state(): SessionState {
    return this.#session.state
  }

  /** Keys to meet this node again without a store, once it is known. They are secrets. */
  get keys(): { readonly localKey: Uint8Array; readonly remoteKey: Uint8Array | undefined } {
    const { localKey, remoteKey } = this.#notebook.pairing
    return {
      localKey: Uint8Array.from(localKey),
      remoteKey: remoteKey && Uint8Array.from(remoteKey),
    }
  }

  /** When the macaroon of the session ends, if it says so. */
  get expiresAt(): Date | undefined {
    const { expiresAtMs } = this.#notebook.pairing
    return expiresAtMs === undefined ? undefined : new Date(expiresAtMs)
  }

  /** The newest macaroon of the node in hex: what this session may do. A secret. */
  get macaroon(): string {
    return this.#session.macaroon
  }

  /** Calls `listener` after every change of `state`; the returned function ends that. */
  onState(listener: (state: SessionState) => void): () => void {
    return this.#session.onState(listener)
  }

  /** Ends the connection in order. Calls under way fail with `ERR_LINK_CLOSED`, later ones with `ERR_SESSION_CLOSED`. */
  close(): Promise<void> {
    return this.#session.close()
  }
}

/** `connect` of a runtime. */
export type Connect = (options: ConnectOptions) => Promise<PairedNode>

/** Makes the `connect` of `platform`. */
export function connectOn(platform: Platform): Connect {
  return async (options) => {
    checkKinds(options, REACH_KINDS)
    const { clock = systemClock, signal, timeoutMs = CONNECT_TIMEOUT_MS } = options
    const { transport = 'websocket' } = options
    checkReach(platform, transport, timeoutMs)
    signal?.throwIfAborted()
    const { crypto } = platform
    const notebook = await Notebook.open({ ...options, crypto, clock })
    const session = openSession(platform, options, notebook, clock)
    if (options.onState) session.onState(options.onState)
    const node = new PairedNode(session, notebook, clock)
    await firstConnection(session, { signal, timeoutMs, clock })
    return node
  }
}

function openSession(
  platform: Platform,
  options: ConnectOptions,
  notebook: Notebook,
  clock: Clock,
): Session {
  const { transport = 'websocket', insecureTls, ca, timeoutMs, log = silentLog } = options
  const address = parseMailbox(notebook.pairing.mailbox)
  return new Session({
    notebook,
    crypto: platform.crypto,
    openRelay: () => platform.relay(address, { transport, insecureTls, ca, clock }),
    minVersion: options.minVersion,
    silenceMs: options.silenceMs,
    patient: timeoutMs === Infinity,
    clock,
    log,
  })
}

interface FirstConnection {
  readonly signal: AbortSignal | undefined
  readonly timeoutMs: number
  readonly clock: Clock
}

/** Resolves when the session is ready; else closes it and rejects with the best that is known. */
async function firstConnection(
  session: Session,
  { signal, timeoutMs, clock }: FirstConnection,
): Promise<void> {
  const abort = () => void session.close(abortError(signal?.reason))
  signal?.addEventListener('abort', abort)
  if (signal?.aborted) abort()
  const late = () => void session.close(lateError(session.state, timeoutMs))
  const stopTimer = timeoutMs < Infinity ? clock.after(timeoutMs, late) : () => {}
  const settled = await new Promise<SessionState>((resolve) => {
    const look = (state: SessionState) => {
      if (state.name === 'connecting') return
      unsubscribe()
      resolve(state)
    }
    const unsubscribe = session.onState(look)
    look(session.state)
  })
  stopTimer()
  session.onState(({ name }) => name === 'closed' && signal?.removeEventListener('abort', abort))
  if (settled.name !== 'closed') return
  await session.close()
  if (signal?.aborted) throw signal.reason
  throw settled.reason ?? new PinholeError('ERR_SESSION_CLOSED', 'the session was closed')
}

function lateError(state: SessionState, timeoutMs: number): PinholeError {
  const reason = state.name === 'connecting' ? state.reason : undefined
  return reason ?? new PinholeError('ERR_NODE_OFFLINE', `no connection within ${timeoutMs} ms`)
}

function abortError(reason: unknown): PinholeError {
  return new PinholeError('ERR_SESSION_CLOSED', 'the caller gave the session up', { cause: reason })
}
