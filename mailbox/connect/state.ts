/** Where a session stands, as its user sees it. */
import type { PinholeError } from '../../src/base/errors.ts'

/** State of a session that heals itself. */
export type SessionState =
  /** The first connection is being made; `reason`: what is in the way at the moment. */
  | { readonly name: 'connecting'; readonly reason: PinholeError | undefined }
  /** Calls go through. */
  | { readonly name: 'ready' }
  /** The connection stands, but the node answers nothing for longer than it may take (`silenceMs`). Calls wait. */
  | { readonly name: 'silent'; readonly reason: PinholeError }
  /** The connection was lost and is being made again; calls wait. `reason`: why it is not there. */
  | { readonly name: 'reconnecting'; readonly reason: PinholeError }
  /** Over for good: by `close`, or for the `reason`. */
  | { readonly name: 'closed'; readonly reason: PinholeError | undefined }
