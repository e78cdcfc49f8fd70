/**
 * The HTTP/2 side of the port: settings, and which sessions stay.
 *
 * Floods are bounded by Node and nghttp2 themselves, whose counters are left at their defaults:
 * stream resets (rapid reset: a burst of 1,000, then 33 a second), 1,000 unanswered SETTINGS and
 * PING acknowledgements, 8 CONTINUATION frames a header block, 1,000 invalid frames
 * (`maxSessionInvalidFrames`), 100 rejected streams (`maxSessionRejectedStreams`). What Node does not
 * watch is a session that does nothing, and a peer that vanished; both are found here.
 */
import http2 from 'node:http2'
import type { Clock } from '../base/clock.ts'
import type { PackedStreams, StreamLimits } from './streams.ts'

/** Limits of one HTTP/2 connection. */
export interface Http2Limits extends StreamLimits {
  /** Bytes a sender may have on the way on one stream, until the relay gives it more. */
  readonly streamWindowBytes: number
  /** Bytes of one request's headers. */
  readonly headerBytes: number
}

/** Times of one HTTP/2 connection. */
export interface Http2Times {
  /** From the connection to its first request. */
  readonly firstRequestMs: number
  /** Without any stream. */
  readonly idleMs: number
}

/** A silent peer is asked this often whether it is there, and gets as long to answer. */
export const PING_EVERY_MS = 30_000

/** Memory that one session may take; 10,000 idle streams take about 30 MB. */
const MAX_SESSION_MEMORY_MB = 128
/** The largest frame that we take at once: one relayed 32 KiB message fits with its envelope. */
const MAX_FRAME_BYTES = 64 * 1_024
/**
 * Bytes on the way on a whole connection. Node gives them back as it reads, whether or not a stream takes
 * them, so this bounds one round trip; a paused stream is bounded by its own window.
 */
const CONNECTION_WINDOW_BYTES = 4 * 1_024 * 1_024

/** An HTTP/2 server that is handed its sockets and listens nowhere itself. */
export function createHttp2Server(
  limits: Http2Limits,
  handler: (request: http2.Http2ServerRequest, response: http2.Http2ServerResponse) => void,
): http2.Http2Server {
  return http2.createServer(
    {
      maxSessionMemory: MAX_SESSION_MEMORY_MB,
      settings: {
        maxConcurrentStreams: limits.streamsPerConnection,
        initialWindowSize: limits.streamWindowBytes,
        maxFrameSize: MAX_FRAME_BYTES,
        maxHeaderListSize: limits.headerBytes,
        enablePush: false,
      },
    },
    handler,
  )
}

interface Watched {
  streams: number
  /** When the session was last seen to do anything, on the clock. */
  seenMs: number
  used: boolean
  pinged: boolean
}

/** Gives `session` more streams with the first request that asks for what needs them. */
function raiseFor(session: http2.ServerHttp2Session, { streams, carries }: PackedStreams): void {
  const look = (_: http2.ServerHttp2Stream, { ':path': path = '' }: http2.IncomingHttpHeaders) => {
    if (!carries(path)) return
    session.off('stream', look)
    if (!session.closed) session.settings({ maxConcurrentStreams: streams })
  }
  session.on('stream', look)
}

/** Watches the sessions of one server: drops silent and vanished ones, says goodbye on drain. */
export class Sessions {
  readonly #times: Http2Times
  readonly #clock: Clock
  readonly #packed: PackedStreams | undefined
  readonly #open = new Map<http2.ServerHttp2Session, Watched>()
  #cancelSweep: (() => void) | undefined
  #draining = false

  constructor(times: Http2Times, clock: Clock, packed?: PackedStreams) {
    this.#times = times
    this.#clock = clock
    this.#packed = packed
  }

  /** Starts to watch the sessions of `server`. */
  watch(server: http2.Http2Server): void {
    server.on('session', (session) => this.#add(session))
    this.#sweepLater()
  }

  /** GOAWAY to everybody: streams that run may end, no new ones begin. */
  drain(): void {
    this.#draining = true
    this.#cancelSweep?.()
    for (const session of this.#open.keys()) session.close()
  }

  #add(session: http2.ServerHttp2Session): void {
    const watched: Watched = {
      streams: 0,
      seenMs: this.#clock.now(),
      used: false,
      pinged: false,
    }
    this.#open.set(session, watched)
    session.once('close', () => this.#open.delete(session))
    session.once('connect', () => session.setLocalWindowSize(CONNECTION_WINDOW_BYTES))
    session.on('stream', (stream: http2.ServerHttp2Stream) => {
      watched.used = true
      watched.streams++
      stream.once('close', () => {
        watched.streams--
        watched.seenMs = this.#clock.now()
      })
    })
    if (this.#packed) raiseFor(session, this.#packed)
    if (this.#draining) session.close()
  }

  #sweepLater(): void {
    const { firstRequestMs, idleMs } = this.#times
    const everyMs = Math.max(
      10,
      Math.min(firstRequestMs || PING_EVERY_MS, idleMs || PING_EVERY_MS, PING_EVERY_MS) / 2,
    )
    this.#cancelSweep = this.#clock.after(everyMs, () => {
      for (const [session, watched] of this.#open) this.#check(session, watched)
      this.#sweepLater()
    })
  }

  #check(session: http2.ServerHttp2Session, watched: Watched): void {
    const silentMs = this.#clock.now() - watched.seenMs
    if (watched.streams > 0) this.#ask(session, watched, silentMs)
    else if (!watched.used && this.#times.firstRequestMs > 0) {
      if (silentMs >= this.#times.firstRequestMs) session.destroy()
    } else if (this.#times.idleMs > 0 && silentMs >= this.#times.idleMs) session.close()
  }

  #ask(session: http2.ServerHttp2Session, watched: Watched, silentMs: number): void {
    if (silentMs < PING_EVERY_MS) return
    if (watched.pinged) {
      session.destroy()
      return
    }
    watched.pinged = true
    watched.seenMs = this.#clock.now()
    session.ping((error) => {
      if (error) return
      watched.pinged = false
      watched.seenMs = this.#clock.now()
    })
  }
}
