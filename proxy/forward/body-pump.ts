/** Moves a request's body from the client upstream, no faster than the upstream takes it. */
import type { Readable } from 'node:stream'
import { loanOf } from './inlet.ts'

/** What takes a body. */
export interface BodySink {
  /** Takes a piece; false asks to wait for `drain`. `done` is called, if at all, when the piece is not needed any more. */
  write(piece: Buffer, done?: () => void): boolean
  on(event: 'drain', listener: () => void): unknown
  off(event: 'drain', listener: () => void): unknown
}

export interface PumpEvents {
  /** A piece moved, at either end. */
  moved(): void
  /** The client's body is complete and was handed over. */
  ended(): void
}

/** Starts at once; the returned function stops it and lets the rest of the body run into nothing. */
export function pumpBody(source: Readable, sink: BodySink, events: PumpEvents): () => void {
  const onData = (chunk: Buffer) => {
    events.moved()
    if (!sink.write(chunk, loanOf(chunk)?.release)) source.pause()
  }
  const onDrain = () => {
    events.moved()
    source.resume()
  }
  const detach = () => {
    source.off('data', onData).off('end', onEnd)
    sink.off('drain', onDrain)
  }
  const onEnd = () => {
    detach()
    events.ended()
  }
  // Over HTTP/2 a body without a byte is at its end as soon as that is known, whoever has looked.
  if (source.readableEnded) {
    events.ended()
    return () => {}
  }
  sink.on('drain', onDrain)
  source.on('data', onData).once('end', onEnd)
  return () => {
    detach()
    // A body that stands still would hold up the connection's next request.
    if (!source.destroyed) source.resume()
  }
}
