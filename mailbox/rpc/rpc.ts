/** What calls the node: every method by its path, in bytes. A channel is one, a healing session another. */

/** gRPC metadata: lower-case names, values of printable ASCII (base64 for names that end in `-bin`). */
export type Metadata = readonly (readonly [name: string, value: string])[]

/** What a single call can add. */
export interface CallOptions {
  /** Sent with this call besides the session's macaroon. */
  readonly metadata?: Metadata | undefined
  /** Ends the call; it then fails with the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /** Deadline in milliseconds, told to the node; then `ERR_NODE_TIMEOUT`. Without it a call may take for ever. */
  readonly timeoutMs?: number | undefined
}

/** Throws a `TypeError` for what is no time: it would be a call without a deadline, or one that is over at once. */
export function checkDeadline(timeoutMs: number | undefined): void {
  if (timeoutMs === undefined || (typeof timeoutMs === 'number' && !Number.isNaN(timeoutMs))) return
  throw new TypeError(`timeoutMs is a number of milliseconds, not ${String(timeoutMs)}`)
}

/**
 * Raw calls. Errors: `ERR_NODE_PERMISSION`, `ERR_SESSION_EXPIRED`, `ERR_NODE_TIMEOUT`, `ERR_NODE_CALL`
 * (with the node's own code in `grpc`), `ERR_NODE_MESSAGE_SIZE`, or that of the broken connection.
 */
export interface Rpc {
  /** One request, one answer. `path` is `/package.Service/Method`. */
  unary(path: string, request: Uint8Array, options?: CallOptions): Promise<Uint8Array>

  /**
   * Any other kind of call: one request or many, each answer as it comes. The call starts now, not at the
   * first iteration, and can be iterated once; leaving the loop cancels it.
   */
  stream(
    path: string,
    requests: Uint8Array | AsyncIterable<Uint8Array>,
    options?: CallOptions,
  ): AsyncIterable<Uint8Array>
}
