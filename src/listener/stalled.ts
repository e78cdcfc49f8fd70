/**
 * Cuts HTTP/1.1 clients that take nothing of what waits for them (`writetimeout`), whoever answered: a client that
 * asks and asks and reads no answer would keep its connection for ever. What an upgrade has turned into another
 * protocol is left alone, it has rules of its own.
 *
 * Over HTTP/2 it resets streams: those whose answer is complete and small, and of which the client takes nothing by a
 * window of zero. Bodies that are forwarded have a limit of their own, and open streams of the relay none.
 */
import http2 from 'node:http2'
import type { Server, Socket } from 'node:net'
import type { Clock } from '../base/clock.ts'

/** What a client had taken at the last sweep, and since when it has taken no more. */
interface Stand {
  taken: number
  sinceMs: number
}

const SWEEPS_PER_LIMIT = 8
/** An answer of which no more than so much waits goes out at once, so that nothing of it taken is no progress. */
const SMALL_BYTES = 16 * 1_024

/** The connections of one port that are watched. */
export class StalledClients {
  readonly #limitMs: number
  readonly #clock: Clock
  readonly #onCut: (socket: Socket) => void
  readonly #watched = new Map<Socket, Stand>()
  readonly #streams = new Map<http2.ServerHttp2Stream, Stand>()
  #isArmed = false

  /** `limitMs` is without any progress; 0 is for ever. */
  constructor(limitMs: number, clock: Clock, onCut: (socket: Socket) => void) {
    this.#limitMs = limitMs
    this.#clock = clock
    this.#onCut = onCut
  }

  /** Watches a connection until it closes or is upgraded. */
  watch(socket: Socket): void {
    if (this.#limitMs <= 0) return
    this.#watched.set(socket, { taken: 0, sinceMs: this.#clock.now() })
    socket.once('close', () => this.#watched.delete(socket))
    this.#arm()
  }

  /** Watches all streams of `server`. */
  watchStreams(server: http2.Http2Server): void {
    if (this.#limitMs <= 0) return
    server.on('stream', (stream: http2.ServerHttp2Stream) => {
      this.#streams.set(stream, { taken: 0, sinceMs: this.#clock.now() })
      stream.once('close', () => this.#streams.delete(stream))
      this.#arm()
    })
  }

  /** Lets go of the connections that `server` hands to whoever answers upgrades, once somebody does. */
  leaveUpgrades(server: Server): void {
    const onListener = (event: string | symbol): void => {
      // Before anybody listens Node takes an upgrade for a request; a listener here would change that.
      if (event !== 'upgrade') return
      server.off('newListener', onListener)
      server.on('upgrade', (_request, socket: Socket) => this.#watched.delete(socket))
    }
    server.on('newListener', onListener)
  }

  #arm(): void {
    if (this.#isArmed) return
    this.#isArmed = true
    this.#clock.after(Math.ceil(this.#limitMs / SWEEPS_PER_LIMIT), () => {
      this.#isArmed = false
      this.#sweep(this.#clock.now())
      this.#sweepStreams(this.#clock.now())
      if (this.#watched.size + this.#streams.size > 0) this.#arm()
    })
  }

  #sweep(nowMs: number): void {
    for (const [socket, stand] of this.#watched) {
      const waiting = socket.writableLength
      // `bytesWritten` counts what still waits.
      const taken = socket.bytesWritten - waiting
      if (waiting === 0 || taken !== stand.taken) {
        stand.taken = taken
        stand.sinceMs = nowMs
      } else if (nowMs - stand.sinceMs >= this.#limitMs) {
        this.#onCut(socket)
        socket.destroy()
      }
    }
  }

  #sweepStreams(nowMs: number): void {
    for (const [stream, stand] of this.#streams) {
      const waits = stream.writableEnded && !stream.writableFinished
      const taken = -stream.writableLength
      if (!waits || stream.writableLength > SMALL_BYTES || taken !== stand.taken) {
        stand.taken = taken
        stand.sinceMs = nowMs
      } else if (nowMs - stand.sinceMs >= this.#limitMs) {
        const socket = stream.session?.socket
        if (socket) this.#onCut(socket)
        stream.close(http2.constants.NGHTTP2_CANCEL)
      }
    }
  }
}
