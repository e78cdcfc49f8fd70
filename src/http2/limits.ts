/** What bounds a connection. Each is checked before memory is allocated for what it bounds. */

/**
 * Bytes of one stream that may be under way or unread. LNC's own window holds 1,280 KiB, so 4 MiB fill any
 * connection up to a round trip of a second, whatever lies below.
 */
export const STREAM_WINDOW_BYTES = 4 * 1024 * 1024

/** The same for all streams of a connection together. It bounds what slow readers can make us hold. */
export const CONNECTION_WINDOW_BYTES = 16 * 1024 * 1024

/**
 * A header list, as names, values and 32 bytes for each field, and a header block as received. Macaroons
 * of custom litd sessions exceed 40,000 characters (LNC §12); 120,000 are known to pass.
 */
export const MAX_HEADER_LIST_BYTES = 1024 * 1024

/** CONTINUATION frames of one block: what the largest block takes, and some. */
export const MAX_CONTINUATIONS = 128

/** Streams that a peer may have open at our server end. */
export const MAX_CONCURRENT_STREAMS = 1000

/** Answers to PING and SETTINGS that may wait for a peer that does not read. */
export const MAX_WAITING_ACKS = 1000

/** What one connection announces to its peer and holds it to, in bytes. */
export interface Http2Limits {
  readonly streamWindowBytes: number
  readonly connectionWindowBytes: number
  /** A header list, counted as RFC 9113 §6.5.2 has it, and a header block as received. */
  readonly headerListBytes: number
  /**
   * Whether bytes that a stream's user holds count against the whole connection. Without, slow users do
   * not slow each other down, and what is held is bounded by the streams' own windows.
   */
  readonly sharesWindow: boolean
}

/** Limits of LNC. */
export const LNC_LIMITS: Http2Limits = {
  streamWindowBytes: STREAM_WINDOW_BYTES,
  connectionWindowBytes: CONNECTION_WINDOW_BYTES,
  headerListBytes: MAX_HEADER_LIST_BYTES,
  sharesWindow: true,
}

/** Most bytes of one message to the layer below: two Noise records of the size that Go sends (LNC §7). */
export const MESSAGE_BYTES = 65_536
