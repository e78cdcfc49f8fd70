/** What differs between Node and a browser, as one collaborator of `connect`. */
import type { Clock } from '../../src/base/clock.ts'
import { CERTIFICATES, FUNCTION, LOG, SIGNAL, SPAN_MS } from '../../src/base/kinds.ts'
import type { LncCrypto } from '../crypto/crypto.ts'
import type { MailboxAddress } from '../transport/address.ts'
import type { RelayClient } from '../transport/relay-client.ts'

/** How the relay is reached: `websocket` works everywhere, `grpc` in Node only and is faster. */
export type TransportName = 'websocket' | 'grpc'

/** How to reach a relay. */
export interface RelayOptions {
  readonly transport: TransportName
  /** Accept any certificate of the relay (LNC §13, *dev server*). Default false; Node only. */
  readonly insecureTls?: boolean | undefined
  /** Certificates in PEM to trust in place of the system's. Node only. */
  readonly ca?: string | Uint8Array | undefined
  readonly clock: Clock
}

/** A runtime. */
export interface Platform {
  readonly crypto: LncCrypto
  /** Ways to a relay that this runtime has. */
  readonly transports: readonly TransportName[]
  /** A client of a relay; it dials when it is used. */
  relay(address: MailboxAddress, options: RelayOptions): RelayClient
}

/** What the options of either end must be, where they are there. */
export const REACH_KINDS = {
  signal: SIGNAL,
  ca: CERTIFICATES,
  minVersion: {
    what: '0, 1 or 2',
    holds: (value: unknown) => [0, 1, 2].some((one) => one === value),
  },
  silenceMs: SPAN_MS,
  onState: FUNCTION,
  log: LOG,
} as const

/** Throws a `TypeError` for a transport that `platform` lacks, and for a limit that is no span of time. */
export function checkReach(platform: Platform, transport: TransportName, timeoutMs: number): void {
  if (!platform.transports.includes(transport)) {
    throw new TypeError(`this runtime reaches no relay over ${transport}`)
  }
  if (typeof timeoutMs === 'number' && timeoutMs > 0) return
  throw new TypeError(`timeoutMs is a positive number of milliseconds, not ${String(timeoutMs)}`)
}
