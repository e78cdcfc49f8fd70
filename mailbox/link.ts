/**
 * What every layer of LNC takes and returns: an ordered, message-preserving, two-way link.
 *
 *     transport ► gbn ► message ► noise ► HTTP/2
 *
 * A layer's function takes the `Link` below and gives the `Link` above, so each can be tested over a
 * pair in memory (`test/mailbox/memory-link.ts`) and swapped without the others knowing.
 */
export interface Link {
  /**
   * Hands one message down. Resolves when the layer below has taken it, which is the back-pressure;
   * a caller that wants order need not await, messages leave in the order of the calls.
   * Rejects with a `PinholeError` once the link has broken. The bytes must not be changed afterwards.
   */
  send(message: Uint8Array): Promise<void>

  /**
   * The next message in order; `undefined` after the peer's orderly end or one's own `close`; rejects
   * with a `PinholeError` when the link broke. One call at a time.
   */
  receive(): Promise<Uint8Array | undefined>

  /** Ends the link in order (a FIN where the layer has one) and lets go of everything. Idempotent. */
  close(): Promise<void>
}
