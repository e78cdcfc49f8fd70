/** What a way to the relay (WebSocket or gRPC) gives to the mailbox link: streams, once, without healing. */
import type { RelayFailure } from './failure.ts'

/** What a stream tells its owner, never before the call that opened it has returned; after `end` nothing more comes. */
export interface StreamEvents {
  /** The relay has been asked; a refusal may still come. */
  opened(): void
  /** The relay is known to have accepted: it answered, or a message came. */
  confirmed(): void
  /** One message, in order. Receiving streams only. */
  message(bytes: Uint8Array): void
  /** The stream is over, by the relay or the network; not told after one's own `close`. */
  end(failure: RelayFailure): void
}

/** One open stream. */
export interface RelayStream {
  /** Hands over what was written, then ends the stream; never rejects. Idempotent. */
  close(): Promise<void>
}

/** A stream towards a box. */
export interface SendStream extends RelayStream {
  /** Resolves when the way down can take more. A message that cannot be sent is dropped: GBN resends. */
  write(message: Uint8Array): Promise<void>
}

/** One relay as one end reaches it. Ids are the 64 bytes of LNC §2. */
export interface RelayClient {
  /** Reads the box `streamId`. */
  receive(streamId: Uint8Array, events: StreamEvents): RelayStream
  /** Writes to the box `streamId`. */
  send(streamId: Uint8Array, events: StreamEvents): SendStream
  /** Creates a box; one that is there already is fine. Resolves with the failure, if any. */
  createBox(streamId: Uint8Array): Promise<RelayFailure | undefined>
  /** Deletes a box; one that is gone already is fine. Resolves with the failure, if any. */
  deleteBox(streamId: Uint8Array): Promise<RelayFailure | undefined>
  /** Lets go of every connection. Idempotent. */
  close(): Promise<void>
}
