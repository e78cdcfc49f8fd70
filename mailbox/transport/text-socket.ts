/** A WebSocket that carries text, as little of it as hashmail needs; one implementation per platform. */
import type { RelayFailure } from './failure.ts'

/** What a socket tells, never before the call that opened it has returned; nothing after one's own `close`. */
export interface SocketEvents {
  open(): void
  text(text: string): void
  closed(failure: RelayFailure): void
}

/** One socket. */
export interface TextSocket {
  /** Queues `text`; dropped when the socket is not open. */
  send(text: string): void
  /** Bytes queued and not yet given to the network. */
  bufferedBytes(): number
  /** Hands over what is queued, then closes; never rejects. Idempotent. */
  close(): Promise<void>
}

/** Opens a socket. */
export type OpenSocket = (url: string, events: SocketEvents) => TextSocket

/** The longest text taken from a relay, in UTF-16 units: 4 MiB of message in base64 and its envelope. */
export const MAX_TEXT = 6 * 1024 * 1024

/** Time for a connection to stand. */
export const SOCKET_DIAL_TIMEOUT_MS = 8000

/** Time to hand over what was written before a socket is cut. */
export const SOCKET_CLOSE_TIMEOUT_MS = 500
