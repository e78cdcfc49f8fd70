/**
 * The node's end beside an lnd that has no litd: dials out to a relay, serves LNC there with the macaroon
 * it was given, and forwards every call to lnd. What the macaroon allows is lnd's to say.
 */
import { forwardGrpc } from '../mailbox/rpc/forward.ts'
import { listen, type Listener } from '../mailbox/listen/listen.ts'
import { fileStore } from '../mailbox/pairing/file-store.ts'
import type { PairingStore } from '../mailbox/pairing/pairing.ts'
import { asPinholeError } from './base/errors.ts'
import type { Log } from './base/log.ts'
import { checkLnd } from './agent/check-lnd.ts'
import { readMacaroon, readTarget } from './agent/lnd-files.ts'
import { DEFAULT_MAILBOX } from './default-mailbox.ts'

/** What an agent is made of. */
export interface AgentOptions {
  /** lnd's gRPC port, `host:port`. */
  readonly lnd: string
  /** lnd's certificate, a file in PEM. */
  readonly tls: string
  /** The macaroon that the client gets, a file as lnd writes it. */
  readonly macaroon: string
  /** The relay; the stored pairing's when left out, else `DEFAULT_MAILBOX`. */
  readonly mailbox?: string | undefined
  /** Accept any certificate of the relay. */
  readonly insecureTls?: boolean | undefined
  /** File that keeps the pairing. */
  readonly file: string
  /** Forget the stored pairing and make a new phrase. */
  readonly anew?: boolean | undefined
  readonly log: Log
  readonly signal?: AbortSignal | undefined
}

/** A running agent. */
export interface Agent {
  /** The phrase to pair with, until a client has used it. */
  readonly phrase: string | undefined
  readonly mailbox: string
  /** Ends connections in order and deletes the boxes. */
  close(): Promise<void>
}

/**
 * Checks lnd, then listens; a relay that cannot be reached is waited for.
 *
 * @throws ERR_AGENT_FILE, ERR_AGENT_LND, and what `listen` throws
 */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const { log, insecureTls, signal, anew = false } = options
  const target = await readTarget(options.lnd, options.tls)
  const macaroon = await readMacaroon(options.macaroon)
  await checkLnd(target, macaroon, log)
  const store = fileStore(options.file)
  const stored = anew ? undefined : await loadFrom(store)
  const mailbox = options.mailbox ?? stored?.mailbox ?? DEFAULT_MAILBOX
  const listener: Listener = await listen({
    mailbox,
    insecureTls,
    store: anew ? { ...store, load: async () => undefined } : store,
    authData: `Macaroon: ${macaroon}`,
    onConnection: (link) => forwardGrpc(link, { target }),
    timeoutMs: Infinity,
    signal,
    log,
  })
  return {
    get phrase() {
      return listener.phrase
    },
    mailbox,
    close: () => listener.close(),
  }
}

const loadFrom = (store: PairingStore) =>
  store.load().catch((reason: unknown) => {
    throw asPinholeError(reason, 'ERR_SESSION_STORE')
  })
