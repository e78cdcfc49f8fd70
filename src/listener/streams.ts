/**
 * How many streams one HTTP/2 connection may have at once. A browser has a few under way; a litd holds two for
 * each of its LNC sessions, all on one connection. So a connection of a hub that sells begins with what a
 * paywall needs, and gets the relay's number with its first request to the relay.
 */
import { HASHMAIL_SERVICE, REST_PATH } from '../../mailbox/hashmail/names.ts'

/** Go's bound, and so Aperture's. */
const PAYWALL_STREAMS = 250
const RELAY_STREAMS = 10_000

const GRPC_PREFIX = `/${HASHMAIL_SERVICE}/`

/** Bounds of one connection. */
export interface StreamLimits {
  /** At once, from the connection's beginning. */
  readonly streamsPerConnection: number
  /** The bound of a connection that carries more than ordinary requests. */
  readonly packed?: PackedStreams | undefined
}

/** What raises the bound of a connection. */
export interface PackedStreams {
  readonly streams: number
  /** Whether a request to `path` makes its connection one of these. */
  readonly carries: (path: string) => boolean
}

/** What a hub does, as far as its streams are concerned. */
export interface StreamUse {
  /** `limits.streamsperconnection`; 0 leaves it to what the hub does. */
  readonly configured: number
  readonly sells: boolean
  readonly relays: boolean
}

/** The bounds of a hub's connections. */
export function streamLimits({ configured, sells, relays }: StreamUse): StreamLimits {
  if (configured > 0) return { streamsPerConnection: configured }
  if (!relays) return { streamsPerConnection: PAYWALL_STREAMS }
  if (!sells) return { streamsPerConnection: RELAY_STREAMS }
  const packed = { streams: RELAY_STREAMS, carries: isRelayPath }
  return { streamsPerConnection: PAYWALL_STREAMS, packed }
}

const isRelayPath = (path: string): boolean =>
  path.startsWith(GRPC_PREFIX) || path.startsWith(REST_PATH)
