/**
 * A relay over WebSocket (LNC §10.2): one socket that reads, one that writes, each with JSON texts, and a
 * short-lived one for each box to create or delete. Runs in a browser; the sockets are given.
 */
import { systemClock, type Clock } from '../../src/base/clock.ts'
import { GrpcCode } from '../../src/base/errors.ts'
import { fromBase64, toBase64 } from '../hashmail/base64.ts'
import {
  formatCipherBox,
  formatCipherBoxAuth,
  formatCipherBoxDesc,
  parseReceived,
} from '../hashmail/json.ts'
import { REST_PATH, REST_RECEIVE_PATH, REST_SEND_PATH, WEBSOCKET_QUERY } from '../hashmail/names.ts'
import { authority, type MailboxAddress } from './address.ts'
import { failure, failureOfStatus, type RelayFailure } from './failure.ts'
import type { RelayClient, RelayStream, SendStream, StreamEvents } from './relay-client.ts'
import type { OpenSocket, TextSocket } from './text-socket.ts'

/** Above this a writer waits; it holds a full window of the largest packets in base64. */
const HIGH_WATER_BYTES = 2 * 1024 * 1024
/** A browser does not say when its buffer has drained: look again. */
const DRAIN_POLL_MS = 4
const UNARY_TIMEOUT_MS = 8000

/** A client of the relay at `address` over sockets that `open` makes. */
export function websocketRelay(
  address: MailboxAddress,
  open: OpenSocket,
  clock: Clock = systemClock,
): RelayClient {
  return new WebsocketRelay(address, open, clock)
}

class WebsocketRelay implements RelayClient {
  readonly #base: string
  readonly #open: OpenSocket
  readonly #clock: Clock
  readonly #streams = new Set<RelayStream>()

  constructor(address: MailboxAddress, open: OpenSocket, clock: Clock) {
    this.#base = `${address.tls ? 'wss' : 'ws'}://${authority(address)}`
    this.#open = open
    this.#clock = clock
  }

  receive(streamId: Uint8Array, events: StreamEvents): RelayStream {
    const read = messageReader(streamId)
    const socket: TextSocket = this.#open(this.#url(REST_RECEIVE_PATH), {
      open: () => {
        socket.send(formatCipherBoxDesc(streamId))
        events.opened()
      },
      text: (text) => {
        const found = read(text)
        if (found instanceof Uint8Array) return events.message(found)
        events.end(found)
        void stream.close()
      },
      closed: (failed) => {
        this.#streams.delete(stream)
        events.end(failed)
      },
    })
    const stream = this.#track(socket)
    return stream
  }

  send(streamId: Uint8Array, events: StreamEvents): SendStream {
    const socket: TextSocket = this.#open(this.#url(REST_SEND_PATH), {
      open: () => events.opened(),
      // Nothing comes on success, so whatever comes is a refusal (LNC §10.2).
      text: (text) => {
        events.end(refusal(text))
        void stream.close()
      },
      closed: (failed) => {
        this.#streams.delete(stream)
        events.end(failed)
      },
    })
    const stream = this.#track(socket)
    const write = (message: Uint8Array) => {
      socket.send(formatCipherBox(streamId, message))
      return this.#drained(socket)
    }
    return { ...stream, write }
  }

  createBox(streamId: Uint8Array): Promise<RelayFailure | undefined> {
    return this.#unary(WEBSOCKET_QUERY, formatCipherBoxAuth(streamId), GrpcCode.alreadyExists)
  }

  async deleteBox(streamId: Uint8Array): Promise<RelayFailure | undefined> {
    // Only a query can name the box here, and Go's gateway takes `lnd_auth` from it in no plainer spelling.
    const id = encodeURIComponent(toBase64(streamId))
    const failed = await this.#unary(`?method=DELETE&desc.stream_id=${id}&lnd_auth.x=1`, '{}')
    return failed?.kind === 'not-found' ? undefined : failed
  }

  async close(): Promise<void> {
    await Promise.all([...this.#streams].map((stream) => stream.close()))
  }

  #url(path: string, query = WEBSOCKET_QUERY): string {
    return `${this.#base}${path}${query}`
  }

  #track(socket: TextSocket): RelayStream {
    const stream = {
      close: () => {
        this.#streams.delete(stream)
        return socket.close()
      },
    }
    this.#streams.add(stream)
    return stream
  }

  async #drained(socket: TextSocket): Promise<void> {
    while (socket.bufferedBytes() > HIGH_WATER_BYTES) {
      await new Promise<void>((resolve) => this.#clock.after(DRAIN_POLL_MS, resolve))
    }
  }

  #unary(query: string, body: string, alsoFine?: number): Promise<RelayFailure | undefined> {
    return new Promise((resolve) => {
      const done = (failed: RelayFailure | undefined) => {
        expire()
        void stream.close()
        resolve(failed)
      }
      const expire = this.#clock.after(UNARY_TIMEOUT_MS, () =>
        done(failure('unreachable', `${this.#base} does not answer`)),
      )
      const socket: TextSocket = this.#open(this.#url(REST_PATH, query), {
        open: () => socket.send(body),
        text: (text) => done(unaryAnswer(text, alsoFine)),
        closed: done,
      })
      const stream = this.#track(socket)
    })
  }
}

/** Reads what a receive socket gets: the message, or why it has ended. */
function messageReader(streamId: Uint8Array): (text: string) => Uint8Array | RelayFailure {
  // The exact text of nearly every relay; anything else (blanks, errors) goes through the parser.
  const head = `{"result":{"desc":${formatCipherBoxDesc(streamId)},"msg":"`
  const tail = '"}}'
  return (text) => {
    if (text.startsWith(head) && text.endsWith(tail)) {
      const message = fromBase64(text.slice(head.length, -tail.length))
      if (message) return message
    }
    const received = parseReceived(text)
    return received.kind === 'message' ? received.box.msg : refusal(text)
  }
}

function refusal(text: string): RelayFailure {
  const received = parseReceived(text)
  if (received.kind === 'error') return failureOfStatus(received.code, received.message)
  return failure('refused', 'the server at that address sent what is no hashmail message')
}

function unaryAnswer(text: string, alsoFine: number | undefined): RelayFailure | undefined {
  const received = parseReceived(text)
  // `{"success":…}` and `{}` are neither result nor error.
  if (received.kind !== 'error' || received.code === alsoFine) return undefined
  return failureOfStatus(received.code, received.message)
}
