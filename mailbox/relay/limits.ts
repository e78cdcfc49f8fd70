/**
 * What the relay may be told, with its defaults. Keys in the configuration are those named below; the
 * first three and the two of the WebSocket are Aperture's, the rest are Pinhole's own.
 */

/** Settings of the relay. Every field may be left out. */
export interface RelayLimits {
  /** `hashmail.messagerate`: milliseconds for each message of a box; writers are delayed. 0: no limit. */
  readonly messageRateMs: number
  /** `hashmail.messageburstallowance`: messages that may come at once when a rate is set. */
  readonly messageBurst: number
  /** `hashmail.staletimeout`: a box that nobody holds is removed after so long. Negative: never. */
  readonly staleTimeoutMs: number
  /** `wspinginterval`: time between WebSocket pings. 0: none. */
  readonly wsPingIntervalMs: number
  /** `wspongwait`: how long the answer to a ping may take. 0: no pings. */
  readonly wsPongWaitMs: number
  /** `hashmail.maxboxes`: boxes in all. A box costs about 1 kB. */
  readonly maxBoxes: number
  /** `hashmail.maxboxesperaddress`: boxes made from one client address (IPv6: one /64). */
  readonly maxBoxesPerAddress: number
  /** `hashmail.maxstreamsperaddress`: open sends and receives from one client address. */
  readonly maxStreamsPerAddress: number
  /** `hashmail.maxbufferedbytes`: message bytes held in all; writers wait beyond. */
  readonly maxBufferedBytes: number
  /** `hashmail.maxbufferedbytesperaddress`: message bytes held from one address; its writers wait beyond. */
  readonly maxBufferedBytesPerAddress: number
  /** `hashmail.maxmessagebytes`: largest message; a larger one is refused before memory is taken for it. */
  readonly maxMessageBytes: number
  /**
   * `hashmail.maxboxmessages`: messages in one box that is being read; its writer waits beyond. LNC has 20 on
   * the way. Small, since readers' WINDOW_UPDATEs come behind what is taken from writers on the same
   * connection: with 1,024, 100 boxes of 256-byte messages fell to 1,000 messages a second until all were full.
   */
  readonly maxBoxMessages: number
  /** `hashmail.maxboxbytes`: message bytes in one box; its writer waits beyond. One message always fits. */
  readonly maxBoxBytes: number
  /**
   * `hashmail.maxunreadmessages`: messages in a box that nobody reads. Small, since what a dead LNC
   * client leaves behind meets the next one: Go's server answers every SYN it finds (LNC §9.2).
   */
  readonly maxUnreadMessages: number
  /**
   * `hashmail.messagetimeout`: how long a message may take once begun, and a request to say which box it is about. A
   * stream that sends may wait with its first message as long as it likes.
   */
  readonly messageTimeoutMs: number
}

const KIB = 1024
const MIB = 1024 * KIB

/** What a relay does when nothing else is said: no throttle, and room for 5,000 clients from one address. */
export const RELAY_DEFAULTS: RelayLimits = {
  messageRateMs: 0,
  messageBurst: 10,
  staleTimeoutMs: 3_600_000,
  wsPingIntervalMs: 30_000,
  wsPongWaitMs: 15_000,
  maxBoxes: 65_536,
  maxBoxesPerAddress: 16_384,
  maxStreamsPerAddress: 32_768,
  maxBufferedBytes: 256 * MIB,
  maxBufferedBytesPerAddress: 128 * MIB,
  maxMessageBytes: 4 * MIB,
  maxBoxMessages: 64,
  maxBoxBytes: MIB,
  maxUnreadMessages: 4,
  messageTimeoutMs: 60_000,
}

/** A message with its descriptor may be larger than the message by this much. */
export const ENVELOPE_BYTES = 4 * KIB
/** Most bytes that one message is charged for. */
export const largestCharge = ({ maxMessageBytes }: Pick<RelayLimits, 'maxMessageBytes'>): number =>
  maxMessageBytes + ENVELOPE_BYTES
/** Largest request that only names a box. An id counts with its first 64 bytes. */
export const MAX_REQUEST_BYTES = 4 * KIB
/** How long somebody who wants an occupied end of a box waits for it (LNC §10.3). */
export const CLAIM_WAIT_MS = 250

/** Fields that may be zero or negative; all others must be positive. */
const MAY_BE_ZERO: ReadonlySet<string> = new Set([
  'messageRateMs',
  'staleTimeoutMs',
  'wsPingIntervalMs',
  'wsPongWaitMs',
])

/** `given` with defaults filled in. Throws `TypeError` for a value that makes no sense. */
export function relayLimits(given: Partial<RelayLimits>): RelayLimits {
  const limits: { -readonly [K in keyof RelayLimits]: number } = { ...RELAY_DEFAULTS }
  for (const name of Object.keys(RELAY_DEFAULTS) as (keyof RelayLimits)[]) {
    const value = given[name]
    if (value === undefined) continue
    if (!Number.isFinite(value) || (value <= 0 && !MAY_BE_ZERO.has(name))) {
      throw new TypeError(`relay: ${name} must be a positive number, not ${value}`)
    }
    limits[name] = value
  }
  const frame = largestCharge(limits)
  for (const name of ['maxBufferedBytes', 'maxBufferedBytesPerAddress'] as const) {
    // A message that could never be held would make its writer wait for ever.
    if (limits[name] < frame) throw new TypeError(`relay: ${name} must be at least ${frame} bytes`)
  }
  return limits
}
