/**
 * The WebSocket face: `…/hashmail/send` and `…/hashmail/receive`, text frames with protobuf JSON (LNC §10.2).
 *
 * The send socket gets an error as a bare status, the receive socket in the envelope of its answers.
 * Deviation: the send socket gets it at once, not after the next message.
 */
import type { Socket } from 'node:net'
import { PinholeError } from '../../src/base/errors.ts'
import { toBase64 } from '../hashmail/base64.ts'
import {
  formatStatus,
  formatStreamError,
  isRefused,
  JSON_DELETED,
  JSON_INIT_SUCCESS,
  parseCipherBoxAuth,
  parseCipherBoxDesc,
} from '../hashmail/json.ts'
import { STREAM_ID_BYTES } from '../hashmail/names.ts'
import type { Account } from './accounts.ts'
import { BoxText } from './box-text.ts'
import { ENVELOPE_BYTES, MAX_REQUEST_BYTES } from './limits.ts'
import { Receiving, type ReceivingFace } from './receiving.ts'
import { badJson, Refusal } from './refusals.ts'
import type { Relay } from './relay.ts'
import { checkAuth, queryId } from './requests.ts'
import { Sending, type MessageSource, type SendingFace, type SentMessage } from './sending.ts'
import { headerBytes, textFrame, writeTextHeader } from './websocket-frames.ts'
import { WebSocketStream } from './websocket-stream.ts'

/** What a WebSocket is for, by its path. */
export type WebSocketKind = 'send' | 'receive' | 'box'

/** Serves a socket whose opening handshake is done. `head` is what came with it. */
export function serveWebSocket(
  relay: Relay,
  kind: WebSocketKind,
  peer: {
    readonly socket: Socket
    readonly address: string
    readonly head: Buffer
    /** Path and query of the opening request. */
    readonly url: string
  },
): void {
  const stream =
    kind === 'send'
      ? new WebSocketSend(relay, peer.socket)
      : kind === 'receive'
        ? new WebSocketReceive(relay, peer.socket)
        : new WebSocketBox(relay, peer.socket, peer.address, peer.url)
  stream.start(peer.address, peer.head)
}

/** Bytes of base64 for `length` bytes. */
const base64Bytes = (length: number): number => Math.ceil(length / 3) * 4

class WebSocketSend extends WebSocketStream implements SendingFace, MessageSource {
  #sending: Sending | undefined
  readonly #text = new BoxText()
  /** Id of the box that this client reads: the lowest bit of byte 63 is the direction (LNC §2). */
  #otherId: Uint8Array | undefined

  constructor(relay: Relay, socket: Socket) {
    super(relay, socket, base64Bytes(relay.limits.maxMessageBytes) + ENVELOPE_BYTES)
  }

  size(): number | PinholeError | undefined {
    return this.frames.size()
  }

  take(first: boolean): SentMessage | PinholeError | undefined {
    const text = this.frames.take()
    if (text === undefined || text instanceof PinholeError) return text
    const message = this.#text.read(text, first)
    if (first && !(message instanceof PinholeError))
      this.#otherId = otherDirection(message.streamId)
    return message
  }

  pause(): void {
    this.socket.pause()
  }

  more(): void {
    if (this.socket.isPaused()) this.socket.resume()
  }

  close(): void {
    this.#sending?.close()
  }

  protected begin(account: Account): void {
    this.#sending = new Sending(this.relay, account, this, this)
  }

  protected arrived(): void {
    this.#sending?.arrived()
  }

  /**
   * Go's client never reads its send socket and so never answers a ping on it: the socket stays while the
   * client reads its other box, or while it waits for room, when we do not read it ourselves (LNC §18).
   */
  protected override excused(): boolean {
    const otherId = this.#otherId
    return this.#sending?.blocked === true || (!!otherId && this.relay.boxes.isRead(otherId))
  }

  protected errorText(reason: PinholeError): string {
    return formatStatus(reason.grpc, reason.message)
  }
}

function otherDirection(id: Uint8Array): Uint8Array {
  const other = new Uint8Array(STREAM_ID_BYTES)
  other.set(id.subarray(0, STREAM_ID_BYTES))
  other[STREAM_ID_BYTES - 1] = (other[STREAM_ID_BYTES - 1] ?? 0) ^ 1
  return other
}

class WebSocketReceive extends WebSocketStream implements ReceivingFace {
  readonly #receiving: Receiving
  #cancelDeadline: () => void = () => {}
  #head = ''
  #asked = false

  constructor(relay: Relay, socket: Socket) {
    super(relay, socket, MAX_REQUEST_BYTES)
    this.#receiving = new Receiving(relay, this)
  }

  opened(): void {}

  write(messages: readonly Uint8Array[], _: number, done: (written: boolean) => void): void {
    const head = this.#head
    const lengths = messages.map((msg) => head.length + base64Bytes(msg.length) + TAIL.length)
    const total = lengths.reduce((sum, length) => sum + headerBytes(length) + length, 0)
    const out = Buffer.allocUnsafe(total)
    let at = 0
    messages.forEach((msg, i) => {
      at = writeTextHeader(out, at, lengths[i] ?? 0)
      at += out.write(head, at, 'latin1')
      at += out.write(toBase64(msg), at, 'latin1')
      at += out.write(TAIL, at, 'latin1')
    })
    this.socket.write(out, (error) => done(!error))
  }

  close(): void {
    this.#cancelDeadline()
    this.#receiving.close()
  }

  protected begin(): void {
    this.#cancelDeadline = requestDeadline(this.relay, this)
  }

  protected arrived(): void {
    for (;;) {
      const text = this.frames.take()
      if (text === undefined) return
      if (text instanceof PinholeError) return this.refuse(text)
      // Aperture closes the request after the first text; what follows is of no meaning.
      if (!this.#asked) this.#ask(text)
    }
  }

  #ask(text: Uint8Array): void {
    this.#asked = true
    this.#cancelDeadline()
    const desc = parseCipherBoxDesc(Buffer.from(text).toString('utf8'))
    if (isRefused(desc)) return this.refuseBare(badJson(desc.refused))
    this.#head = `{"result":{"desc":{"stream_id":"${toBase64(desc.streamId)}"},"msg":"`
    this.#receiving.claim(desc.streamId)
  }

  /** A request that is none fails before the stream of answers begins, so without its envelope. */
  private refuseBare(reason: PinholeError): void {
    this.relay.refused(reason)
    this.finish(textFrame(formatStatus(reason.grpc, reason.message)))
  }

  protected errorText(reason: PinholeError): string {
    return formatStreamError(reason.grpc, reason.message)
  }
}

const TAIL = '"}}'

/** A socket must say what it wants in time. */
const requestDeadline = (relay: Relay, stream: WebSocketStream): (() => void) =>
  relay.clock.after(relay.limits.messageTimeoutMs, () => stream.refuse(Refusal.tooSlow))

/** The query that turns the opening GET into DELETE (LNC §10.2). */
const DELETE_QUERY = /[?&]method=DELETE(&|$)/

/** NewCipherBox or DelCipherBox over a WebSocket: one request, one answer, the end. */
class WebSocketBox extends WebSocketStream {
  readonly #address: string
  readonly #url: string
  #cancelDeadline: () => void = () => {}

  constructor(relay: Relay, socket: Socket, address: string, url: string) {
    super(relay, socket, MAX_REQUEST_BYTES)
    this.#address = address
    this.#url = url
  }

  close(): void {
    this.#cancelDeadline()
  }

  protected begin(): void {
    this.#cancelDeadline = requestDeadline(this.relay, this)
  }

  protected arrived(): void {
    const text = this.frames.take()
    if (text === undefined) return
    if (text instanceof PinholeError) return this.refuse(text)
    if (DELETE_QUERY.test(this.#url)) return this.#delete()
    const request = parseCipherBoxAuth(Buffer.from(text).toString('utf8'))
    if (isRefused(request)) return this.refuse(badJson(request.refused))
    const id = checkAuth(request)
    if (id instanceof PinholeError) return this.refuse(id)
    const reason = this.relay.create(id, this.#address)
    this.finish(textFrame(reason ? this.errorText(reason) : JSON_INIT_SUCCESS))
  }

  /** The box is in the query; the text only says that the client is ready for the answer. */
  #delete(): void {
    const id = queryId(this.#url)
    if (id instanceof PinholeError) return this.refuse(id)
    const reason = this.relay.delete(id)
    this.finish(textFrame(reason ? this.errorText(reason) : JSON_DELETED))
  }

  protected errorText(reason: PinholeError): string {
    return formatStatus(reason.grpc, reason.message)
  }
}
