/**
 * One WebSocket of the relay: its pings and its end (LNC §10.2).
 *
 * An error is one text, then the end of TCP without a close frame, as Aperture's clients know it. When the
 * relay itself stops, or the client closes, there is a close frame.
 */
import type { Socket } from 'node:net'
import { PinholeError } from '../../src/base/errors.ts'
import { PING_PAYLOAD } from '../hashmail/names.ts'
import type { Account } from './accounts.ts'
import { brokenFrame, Refusal } from './refusals.ts'
import type { LiveStream, Relay } from './relay.ts'
import {
  closeFrame,
  controlFrame,
  textFrame,
  WebSocketFrames,
  type ControlFrames,
} from './websocket-frames.ts'

const CLOSE_NORMAL = 1000
const CLOSE_GOING_AWAY = 1001
const CLOSE_PROTOCOL_ERROR = 1002
/** How long a peer may take to end its side once we have ended ours. */
const LINGER_MS = 2000
/** TCP itself finds out about peers that vanished. */
const KEEP_ALIVE_MS = 30_000
/** Between the two pings that make a dead connection show (see `probe`). */
const PROBE_MS = 100

/** A peer that has left so much untaken gets no pongs, and no probes: its connection shows by itself whether it lives. */
const MAX_UNTAKEN_BYTES = 16_384

const PING = controlFrame('ping', Buffer.from(PING_PAYLOAD))

/** One WebSocket: its frames, pings and end. What it carries is said by the classes of `websocket.ts`. */
export abstract class WebSocketStream implements LiveStream, ControlFrames {
  readonly face = 'websocket'
  protected readonly relay: Relay
  protected readonly socket: Socket
  protected readonly frames: WebSocketFrames
  #heard = true
  #ended = false
  #probing = false
  #cancelTimer: () => void = () => {}

  constructor(relay: Relay, socket: Socket, maxTextBytes: number) {
    this.relay = relay
    this.socket = socket
    this.frames = new WebSocketFrames(maxTextBytes, this)
    socket.setNoDelay(true)
    socket.setKeepAlive(true, KEEP_ALIVE_MS)
    socket.setTimeout(0)
  }

  /** Starts to read, `head` being what came with the upgrade. */
  start(address: string, head: Buffer): void {
    const { socket } = this
    socket.on('error', () => {})
    socket.once('close', () => {
      this.#ended = true
      this.#cancelTimer()
      this.close()
      this.relay.leave(this)
    })
    const account = this.relay.enter(this, address)
    if (account instanceof PinholeError) return this.refuse(account)
    this.#ping(this.relay.limits.wsPingIntervalMs)
    this.begin(account)
    socket.on('data', (chunk: Buffer) => {
      if (this.#ended) return
      this.#heard = true
      this.frames.push(chunk)
      this.arrived()
      this.frames.settle()
    })
    // Half-open is of no use: who can no longer send answers no ping either.
    socket.once('end', () => this.finish())
    if (head.length > 0) socket.emit('data', head)
  }

  /** RFC 6455 §5.5.3: of several pings only the last one needs an answer, so who takes no answers gets no more. */
  pinged(payload: Uint8Array): void {
    if (!this.#ended && !this.#isChoked()) this.socket.write(controlFrame('pong', payload))
  }

  ponged(): void {}

  /** The peer's close frame: answered, and that was it. */
  closed(): void {
    this.finish(closeFrame(CLOSE_NORMAL, ''))
  }

  drain(): void {
    this.finish(closeFrame(CLOSE_GOING_AWAY, Refusal.closing.message))
  }

  /** Tells the peer why this is the end. */
  refuse(reason: PinholeError): void {
    this.relay.refused(reason)
    if (reason === brokenFrame) this.finish(closeFrame(CLOSE_PROTOCOL_ERROR, reason.message))
    else this.finish(textFrame(this.errorText(reason)))
  }

  /** Sends `last`, ends our side, lets go of the box, and gives the peer a moment to end its own. */
  protected finish(last?: Buffer): void {
    if (this.#ended) return
    this.#ended = true
    this.#cancelTimer()
    this.close()
    if (last) this.socket.end(last)
    else this.socket.end()
    this.socket.resume()
    this.#cancelTimer = this.relay.clock.after(LINGER_MS, () => this.socket.destroy())
  }

  /** Makes a connection show whether it lives: TCP answers the first ping of a dead one with a reset. */
  probe(): void {
    if (this.#ended || this.#probing) return
    this.#probing = true
    if (!this.#isChoked()) this.socket.write(PING)
    this.relay.clock.after(PROBE_MS, () => {
      this.#probing = false
      if (!this.#ended && !this.#isChoked()) this.socket.write(PING)
    })
  }

  #isChoked(): boolean {
    return this.socket.writableLength > MAX_UNTAKEN_BYTES
  }

  #ping(afterMs: number): void {
    const { wsPingIntervalMs, wsPongWaitMs } = this.relay.limits
    if (wsPingIntervalMs <= 0 || wsPongWaitMs <= 0) return
    this.#cancelTimer = this.relay.clock.after(afterMs, () => {
      this.#heard = false
      // Also behind much that waits: a slow reader is known to live by this alone.
      this.socket.write(PING)
      this.#cancelTimer = this.relay.clock.after(wsPongWaitMs, () => {
        if (this.#heard || this.excused()) this.#ping(wsPingIntervalMs - wsPongWaitMs)
        else this.finish()
      })
    })
  }

  /** Error text in the form that this socket's clients know. */
  protected abstract errorText(reason: PinholeError): string
  /** The stream is let in: make ready for the first message. */
  protected abstract begin(account: Account): void
  /** Bytes have been pushed into `frames`. */
  protected abstract arrived(): void
  /** Lets go of the box. */
  abstract close(): void
  /** Whether a ping without an answer is no reason to end. */
  protected excused(): boolean {
    return false
  }
}
