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

/** The writer for the body of `outgoing`, whose head is out; `fail` hears of a body that is not as it says. */
export function writeBody(socket: net.Socket, outgoing: Outgoing, fail: Fail): BodyWriter {
  const { length } = outgoing
  return length === undefined ? new Chunks(socket, fail) : new Counted(socket, fail, Number(length))
}

abstract class Writer {
  protected readonly socket: net.Socket
  protected readonly fail: Fail

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
  protected put(data: Buffer | string): boolean {
    return this.socket.write(data, 'latin1') || this.socket.writableLength === 0
  }

  protected whenOut(done: () => void): void {
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

  write(piece: Buffer): boolean {
    this.#left -= piece.length
    if (this.#left >= 0) return this.put(piece)
    this.fail(new Error('the body is longer than it says'))
    return true
  }

  end(_trailers: readonly string[], done: () => void): void {
    if (this.#left > 0) this.fail(new Error('the body is shorter than it says'))
    else this.whenOut(done)
  }
}

class Chunks extends Writer implements BodyWriter {
  write(piece: Buffer): boolean {
    if (piece.length === 0) return true
    this.socket.cork()
    this.socket.write(`${piece.length.toString(16)}\r\n`, 'latin1')
    this.socket.write(piece)
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
