/**
 * The node's end beside an lnd that has no litd: dials out to a relay, serves LNC there with the macaroon
 * it was given, and forwards every call to lnd. What the macaroon allows is lnd's to say.
 */
import { readFile } from 'node:fs/promises'

import { forwardGrpc } from '../mailbox/rpc/forward.ts'
import type { Target } from '../mailbox/rpc/dial.ts'
import { listen, type Listener } from '../mailbox/listen/listen.ts'
import { fileStore } from '../mailbox/pairing/file-store.ts'
import type { PairingStore } from '../mailbox/pairing/pairing.ts'
import { toHex } from './base/bytes.ts'
import { asPinholeError, PinholeError } from './base/errors.ts'
import type { Log } from './base/log.ts'
import { checkLnd } from './agent/check-lnd.ts'

/** Lightning Labs' public relay, which litd and Terminal use. */
export const DEFAULT_MAILBOX = 'mailbox.terminal.lightning.today:443'

const DEFAULT_LND_PORT = 10_009

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
  const target = await targetOf(options)
  const macaroon = await macaroonOf(options.macaroon)
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

async function targetOf({ lnd, tls }: AgentOptions): Promise<Target> {
  const { hostname, port } = hostAndPort(lnd)
  return { host: hostname, port, certificate: await fileOf(tls) }
}

function hostAndPort(lnd: string): { hostname: string; port: number } {
  const url = URL.canParse(`tcp://${lnd}`) ? new URL(`tcp://${lnd}`) : undefined
  if (!url || url.hostname === '' || url.pathname !== '' || url.username !== '') {
    throw new PinholeError('ERR_AGENT_LND', `${JSON.stringify(lnd)} is not a host:port`)
  }
  const hostname = url.hostname.replace(/^\[(.*)\]$/, '$1')
  return { hostname, port: url.port === '' ? DEFAULT_LND_PORT : Number(url.port) }
}

const loadFrom = (store: PairingStore) =>
  store.load().catch((reason: unknown) => {
    throw asPinholeError(reason, 'ERR_SESSION_STORE')
  })

/** lnd writes a macaroon as bytes; some keep it in hex. */
async function macaroonOf(file: string): Promise<string> {
  const bytes = await fileOf(file)
  const hex = /^\s*([0-9a-fA-F]{2,})\s*$/.exec(bytes.toString('latin1'))?.[1]
  if (bytes.length === 0) throw new PinholeError('ERR_AGENT_FILE', `${file} is empty`)
  return hex?.toLowerCase() ?? toHex(bytes)
}

async function fileOf(file: string): Promise<Buffer> {
  try {
    return await readFile(file)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new PinholeError('ERR_AGENT_FILE', `cannot read ${file}: ${why}`, { cause })
  }
}
