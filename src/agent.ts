/**
 * The node's end beside an lnd that has no litd: dials out to a relay, serves LNC there with the macaroon
 * it was given, and forwards every call to lnd. What the macaroon allows is lnd's to say.
 */
import { forwardGrpc } from '../mailbox/rpc/forward.ts'
import { listen, type Listener } from '../mailbox/listen/listen.ts'
import { fileStore } from '../mailbox/pairing/file-store.ts'
import type { PairingStore } from '../mailbox/pairing/pairing.ts'
import { asPinholeError, GrpcCode, isPinholeError, type PinholeError } from './base/errors.ts'
import type { Log } from './base/log.ts'
import { checkLnd } from './agent/check-lnd.ts'
import { followTarget, readMacaroon, readTarget } from './agent/lnd-files.ts'
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
 * Checks lnd, then listens; a relay that cannot be reached is waited for. So is an lnd that is locked or not there,
 * once a client is paired: nobody sits before the machine that starts again.
 *
 * @throws ERR_AGENT_FILE, ERR_AGENT_LND, and what `listen` throws
 */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const { log, insecureTls, signal, anew = false } = options
  const target = await readTarget(options.lnd, options.tls)
  const macaroon = await readMacaroon(options.macaroon)
  const store = fileStore(options.file)
  const stored = anew ? undefined : await loadFrom(store)
  await checkLnd(target, macaroon, log).catch((reason: unknown) => {
    const away = isPinholeError(reason, 'ERR_AGENT_LND') && reason.grpc === GrpcCode.unavailable
    if (!stored?.remoteKey || !away) throw reason
    log.warn({ reason: reason.message }, 'lnd cannot serve yet; calls end with that until it does')
  })
  const mailbox = options.mailbox ?? stored?.mailbox ?? DEFAULT_MAILBOX
  const onLost = ({ message: reason }: PinholeError) => log.warn({ reason }, 'no connection to lnd')
  const listener: Listener = await listen({
    mailbox,
    insecureTls,
    store: anew ? { ...store, load: async () => undefined } : store,
    authData: `Macaroon: ${macaroon}`,
    onConnection: (link) =>
      forwardGrpc(link, { target: followTarget(target, options.tls), onLost }),
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
