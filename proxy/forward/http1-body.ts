/** Writes the body of a request to an HTTP/1.1 upstream, framed as its head says (RFC 9112 §6, §7.1). */
import type net from 'node:net'
import type { BodySink } from './body-pump.ts'
import type { Outgoing } from './exchange.ts'
import { fieldLines } from './http1-request-head.ts'

/** Takes a body. */
export interface BodyWriter extends BodySink {
  /** Nothing follows but the trailers. `done` is called once everything is out. */
  end(trailers: readonly string[], done: () => void): void
}

type Fail = (reason: Error) => void

/** Shorter pieces are alone, and go out as they come. */
const MIN_GATHERED_BYTES = 8_192
/** What waits for the pieces after it. */
const MAX_GATHERED_BYTES = 262_144

/** The writer for the body of `outgoing`, whose head is out; `fail` hears of a body that is not as it says. */
export function writeBody(socket: net.Socket, outgoing: Outgoing, fail: Fail): BodyWriter {
  const { length } = outgoing
  return length === undefined ? new Chunks(socket, fail) : new Counted(socket, fail, Number(length))
}

abstract class Writer {
  protected readonly socket: net.Socket
  protected readonly fail: Fail
  #isGathering = false

  constructor(socket: net.Socket, fail: Fail) {
    this.socket = socket
    this.fail = fail
  }

  on(event: 'drain', listener: () => void): void {
    this.socket.on(event, listener)
  }

  off(event: 'drain', listener: () => void): void {
    this.socket.off(event, listener)
  }

  /** Only what the system has not taken has to be waited for. */
  protected put(data: Buffer | string, done?: () => void): boolean {
    const { length } = data
    if (length >= MIN_GATHERED_BYTES && length < MAX_GATHERED_BYTES) this.#gather()
    const isTaken = this.socket.write(data, 'latin1', done) || this.socket.writableLength === 0
    if (isTaken || !this.#isGathering) return isTaken
    if (this.socket.writableLength < MAX_GATHERED_BYTES) return true
    this.#flush()
    return this.socket.writableLength === 0
  }

  /** A body in TLS comes in records of 16 KiB at most; those that come at once go out at once. */
  #gather(): void {
    if (this.#isGathering) return
    this.#isGathering = true
    this.socket.cork()
    setImmediate(() => this.#flush())
  }

  #flush(): void {
    if (!this.#isGathering) return
    this.#isGathering = false
    this.socket.uncork()
  }

  protected whenOut(done: () => void): void {
    this.#flush()
    if (this.socket.writableLength === 0) done()
    else this.socket.write('', () => done())
  }
}

class Counted extends Writer implements BodyWriter {
  #left: number

  constructor(socket: net.Socket, fail: Fail, length: number) {
    super(socket, fail)
    this.#left = length
  }

  write(piece: Buffer, done?: () => void): boolean {
    this.#left -= piece.length
    if (this.#left >= 0) return this.put(piece, done)
    this.fail(new Error('the body is longer than it says'))
    return true
  }

  end(_trailers: readonly string[], done: () => void): void {
    if (this.#left > 0) this.fail(new Error('the body is shorter than it says'))
    else this.whenOut(done)
  }
}

class Chunks extends Writer implements BodyWriter {
  write(piece: Buffer, done?: () => void): boolean {
    if (piece.length === 0) return true
    this.socket.cork()
    this.socket.write(`${piece.length.toString(16)}\r\n`, 'latin1')
    this.socket.write(piece, done)
    this.socket.write('\r\n', 'latin1')
    this.socket.uncork()
    return this.socket.writableLength === 0 || !this.socket.writableNeedDrain
  }

  end(trailers: readonly string[], done: () => void): void {
    try {
      this.put(`0\r\n${fieldLines(trailers)}\r\n`)
      this.whenOut(done)
    } catch {
      this.fail(new Error('a trailer of the request cannot be sent'))
    }
  }
}
