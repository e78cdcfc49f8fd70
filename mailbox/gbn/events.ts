/** What goes into the Go-Back-N core and what comes out. Times are milliseconds of the driver's `Clock`. */
import type { PinholeError } from '../../src/base/errors.ts'

/** Which end this is: the client opens with SYN. */
export type Role = 'client' | 'server'

/** Something that happened, at `now`. */
export type Event =
  /** A packet came. */
  | { readonly type: 'packet'; readonly bytes: Uint8Array; readonly now: number }
  /** The application sends a message; only while `hasRoom(state)`. */
  | { readonly type: 'message'; readonly message: Uint8Array; readonly now: number }
  /** The application took a delivered message. */
  | { readonly type: 'read'; readonly now: number }
  /** `deadline(state)` passed. `busy`: the link below has not taken all earlier packets yet. */
  | { readonly type: 'timer'; readonly busy: boolean; readonly now: number }
  /** The link below is lost; it will be tried until it is back. */
  | { readonly type: 'sleep'; readonly now: number }
  /** The link below was lost and is back. */
  | { readonly type: 'wake'; readonly now: number }
  /** The application closes. */
  | { readonly type: 'close'; readonly now: number }

/** Something the driver must do, in order. */
export type Effect =
  | { readonly type: 'send'; readonly packet: Uint8Array }
  | { readonly type: 'deliver'; readonly message: Uint8Array }
  /** The handshake is done. */
  | { readonly type: 'opened' }
  /** The connection is over; without an error in order. A server core listens on. */
  | { readonly type: 'ended'; readonly error: PinholeError | undefined }
