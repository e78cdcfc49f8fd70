/**
 * The node's end of LNC: waits at a relay for a client with the phrase, or for the one that has used it, and
 * serves it gRPC. Node only; the client's end is `connect`.
 */
import type { Server as GrpcServer } from '@grpc/grpc-js'

import { utf8 } from '../../src/base/bytes.ts'
import { systemClock, type Clock } from '../../src/base/clock.ts'
import { PinholeError } from '../../src/base/errors.ts'
import { checkKinds, FUNCTION, type Kind, withMethods } from '../../src/base/kinds.ts'
import { silentLog, type Log } from '../../src/base/log.ts'
import { nodePlatform } from '../connect/node.ts'
import { checkReach, type Platform, REACH_KINDS, type TransportName } from '../connect/platform.ts'
import type { Link } from '../link.ts'
import { Notebook, type PairingKeys } from '../pairing/notebook.ts'
import type { PairingStore } from '../pairing/pairing.ts'
import { generatePhrase } from '../phrase.ts'
import { serveGrpc } from '../rpc/serve.ts'
import { parseMailbox } from '../transport/address.ts'
import { Doors, type ListenerState } from './doors.ts'
import type { Peer } from './station.ts'

export type { ListenerState } from './doors.ts'
export type { Peer } from './station.ts'

/** Auth data of act two: `Macaroon: <hex>` (LNC §6.7), as text or bytes. */
export type AuthData = string | Uint8Array

/** Where to wait, for whom, and what to serve. */
export interface ListenOptions {
  /** The relay, as for `connect`. May be left out when `store` knows it. */
  readonly mailbox?: string | undefined
  /** The phrase to wait for. Left out, the stored pairing goes on, or a new phrase is made. */
  readonly phrase?: string | undefined
  /** Keys of an earlier pairing, in place of a phrase. */
  readonly keys?: PairingKeys | undefined
  /**
   * What the client sends with its calls, fixed or drawn anew for each handshake. `client` is the client's
   * key, 33 bytes; `undefined` in a first pairing, which shows it only afterwards.
   */
  readonly authData: AuthData | ((client: Uint8Array | undefined) => AuthData | Promise<AuthData>)
  /** A gRPC server whose services the client may call; stays the caller's to shut down. */
  readonly server?: GrpcServer | undefined
  /** In place of `server`: takes the encrypted link of each client, until the promise resolves. */
  readonly onConnection?: ((link: Link, peer: Peer) => Promise<void>) | undefined
  /** Where the pairing is kept. Without one the phrase and the client die with the process. */
  readonly store?: PairingStore | undefined
  /** Default `grpc`. */
  readonly transport?: TransportName | undefined
  /** Accept any certificate of the relay. Default false. */
  readonly insecureTls?: boolean | undefined
  /** Certificates in PEM to trust in place of the system's. */
  readonly ca?: string | Uint8Array | undefined
  /** Gives up starting, and closes the listener when aborted later. */
  readonly signal?: AbortSignal | undefined
  /** How long the relay may take at the start, in milliseconds. Default 15 000; `Infinity` waits for it, unless its certificate is refused. */
  readonly timeoutMs?: number | undefined
  readonly clock?: Clock | undefined
  readonly log?: Log | undefined
}

/** Default of `timeoutMs`. */
export const LISTEN_TIMEOUT_MS = 15_000

/** A node's end that waits or serves, and heals by itself until it is closed. */
export interface Listener {
  /** The phrase to pair with, until a client has used it. */
  readonly phrase: string | undefined
  /** Keys to wait for the same client again without a store, once it is known. They are secrets. */
  readonly keys: { readonly localKey: Uint8Array; readonly remoteKey: Uint8Array | undefined }
  readonly state: ListenerState
  /** Calls `listener` after every change of `state`; the returned function ends that. */
  onState(listener: (state: ListenerState) => void): () => void
  /** Ends connections in order and deletes the boxes. Idempotent; never rejects. */
  close(): Promise<void>
}

/** Makes the `listen` of a platform; the RPC it serves takes Node. */
export const listenOn = (platform: Platform) => (options: ListenOptions) => start(platform, options)

/**
 * Starts to listen; resolves when clients can come.
 *
 * @throws PinholeError ERR_PHRASE_*, ERR_SESSION_KEYS, ERR_SESSION_STORE, ERR_RELAY_ADDRESS at once; ERR_RELAY_*
 * when the relay cannot be used; TypeError for options that do not go together. `signal`'s reason when aborted.
 */
export const listen = listenOn(nodePlatform)

const KINDS: Readonly<Record<string, Kind>> = {
  ...REACH_KINDS,
  onConnection: FUNCTION,
  server: withMethods(['createConnectionInjector'], 'as createNodeServer() has'),
}

async function start(platform: Platform, options: ListenOptions): Promise<Listener> {
  checkKinds(options, KINDS)
  const { clock = systemClock, log = silentLog, signal } = options
  const { transport = 'grpc', insecureTls, ca, timeoutMs = LISTEN_TIMEOUT_MS } = options
  checkReach(platform, transport, timeoutMs)
  const authData = authDataOf(options)
  signal?.throwIfAborted()
  const serve = servingOf(options)
  const { crypto } = platform
  const newPhrase = () => generatePhrase((length) => crypto.randomBytes(length))
  const notebook = await Notebook.open({ ...options, newPhrase, crypto, clock })
  const address = parseMailbox(notebook.pairing.mailbox)
  const relay = platform.relay(address, { transport, insecureTls, ca, clock })
  const doors = new Doors({ notebook, crypto, relay, authData, serve, clock, log })
  await opened(doors, options)
  return {
    get phrase() {
      const { phrase, remoteKey } = notebook.pairing
      return remoteKey ? undefined : phrase
    },
    get keys() {
      const { localKey, remoteKey } = notebook.pairing
      return {
        localKey: Uint8Array.from(localKey),
        remoteKey: remoteKey && Uint8Array.from(remoteKey),
      }
    },
    get state() {
      return doors.state
    },
    onState: (listener) => doors.onState(listener),
    close: () => doors.close(),
  }
}

function servingOf({ server, onConnection }: ListenOptions) {
  if (server && onConnection) throw new TypeError('give either a server or onConnection')
  if (server) return (link: Link) => serveGrpc(link, server)
  if (onConnection) return onConnection
  throw new TypeError('give a server or onConnection')
}

function authDataOf({ authData }: ListenOptions) {
  if (!['string', 'function'].includes(typeof authData) && !(authData instanceof Uint8Array)) {
    throw new TypeError('give authData: a text such as "Macaroon: <hex>", bytes, or a function')
  }
  return async (client: Uint8Array | undefined): Promise<Uint8Array> => {
    const drawn = typeof authData === 'function' ? await authData(client) : authData
    if (typeof drawn === 'string') return utf8(drawn)
    if (drawn instanceof Uint8Array) return drawn
    throw new TypeError('authData gives a text such as "Macaroon: <hex>", or bytes')
  }
}

/** Resolves when the boxes are there; else closes everything and rejects with what is in the way. */
async function opened(doors: Doors, options: ListenOptions): Promise<void> {
  const { clock = systemClock, signal, timeoutMs = LISTEN_TIMEOUT_MS } = options
  let reason: unknown
  const give = (why: unknown) => {
    reason ??= why
    void doors.close()
  }
  const abort = () => give(signal?.reason)
  signal?.addEventListener('abort', abort)
  if (signal?.aborted) abort()
  const stopTimer =
    timeoutMs < Infinity ? clock.after(timeoutMs, () => give(lateError(doors.state))) : () => {}
  await new Promise<void>((resolve) => {
    const look = (state: ListenerState) => {
      if (isHopeless(state)) give(state.reason)
      if (doors.state.name === 'connecting') return
      unsubscribe()
      resolve()
    }
    const unsubscribe = doors.onState(look)
    look(doors.state)
  })
  stopTimer()
  doors.onState(({ name }) => name === 'closed' && signal?.removeEventListener('abort', abort))
  if (doors.state.name !== 'closed') return
  signal?.removeEventListener('abort', abort)
  await doors.close()
  throw reason
}

const isHopeless = (
  state: ListenerState,
): state is Extract<ListenerState, { name: 'connecting' }> =>
  state.name === 'connecting' && state.reason?.code === 'ERR_RELAY_CERTIFICATE'

function lateError(state: ListenerState): PinholeError {
  const reason = state.name === 'connecting' ? state.reason : undefined
  return reason ?? new PinholeError('ERR_RELAY_UNREACHABLE', 'the relay did not answer in time')
}
