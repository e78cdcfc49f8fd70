/** One connection to an HTTP/1.1 upstream, which carries one request after the other. */
import type net from 'node:net'
import type { Head } from './http1-head.ts'
import { AnswerParser, type AnswerEvents } from './http1-parser.ts'
import type { Inlet, Loan } from './inlet.ts'

/** The request that a connection is carrying. */
export interface Carried extends AnswerEvents {
  /** A piece of the body; with a loan it is to be held for as long as it is used. */
  body(piece: Buffer, loan?: Loan): void
  /** Instead of the answer's end: nothing more will come. */
  failed(reason: Error): void
}

/** What a connection tells its pool. */
export interface ConnectionEvents {
  /** It may carry another request, for so long if the server has told. */
  free(connection: Http1Connection, keptMs: number | undefined): void
  gone(connection: Http1Connection): void
}

export class Http1Connection implements AnswerEvents {
  readonly socket: net.Socket
  /** When it is to be closed if it is still idle, by the pool's clock. */
  expiresMs = 0
  readonly #events: ConnectionEvents
  readonly #parser = new AnswerParser(this)
  #carried: Carried | undefined
  #wasUsed = false
  #isSent = false
  #keepAlive = true
  #isFree = false
  #keptMs: number | undefined
  /** Of the piece that is being read. */
  #loan: Loan | undefined

  /** Reads from `inlet` where the socket was dialled with one. */
  constructor(socket: net.Socket, events: ConnectionEvents, inlet?: Inlet) {
    this.socket = socket
    this.#events = events
    if (inlet) {
      inlet.receive = (piece, loan) => {
        this.#received(piece, loan)
        return true
      }
    } else socket.on('data', (chunk: Buffer) => this.#received(chunk, undefined))
    socket
      .once('end', () => this.#ended())
      .on('error', (reason) => this.break(reason))
      .once('close', () => {
        this.break(new Error('the connection was closed'))
        events.gone(this)
      })
  }

  /** Whether it has carried a request to its end before. */
  get wasUsed(): boolean {
    return this.#wasUsed
  }

  /** Writes the head of a request; `carried` hears of its answer. */
  send(carried: Carried, method: string, head: string): void {
    this.#carried = carried
    this.#isSent = false
    this.#parser.expect(method)
    this.socket.write(head, 'latin1')
  }

  /** The request was handed over as a whole. */
  sent(): void {
    this.#isSent = true
  }

  /** Nothing was sent: it is as free as before. */
  giveBack(): void {
    this.#events.free(this, this.#keptMs)
  }

  /** Closes it at once; whoever it carries hears of `reason`. */
  break(reason: Error): void {
    const carried = this.#carried
    this.#carried = undefined
    this.socket.destroy()
    carried?.failed(reason)
  }

  /** Closes it at once, in silence. */
  drop(): void {
    this.#carried = undefined
    this.socket.destroy()
  }

  head(head: Head): void {
    if (head.status >= 200) {
      this.#keepAlive = head.keepAlive && head.framing.name !== 'close'
      this.#keptMs = head.keptMs
    }
    this.#carried?.head(head)
  }

  body(piece: Buffer): void {
    this.#carried?.body(piece, this.#loan)
  }

  end(trailers: string[]): void {
    const carried = this.#carried
    this.#carried = undefined
    this.#wasUsed = true
    // What the upstream does not want of the request is not sent, and the connection has no other use.
    if (this.#keepAlive && this.#isSent) this.#isFree = true
    else this.socket.destroy()
    carried?.end(trailers)
  }

  #received(chunk: Buffer, loan: Loan | undefined): void {
    this.#loan = loan
    try {
      this.#parser.read(chunk)
      // Not before all of `chunk` is known to belong to the answer.
      if (this.#isFree) this.#free()
    } catch (reason) {
      this.break(reason instanceof Error ? reason : new Error('the answer cannot be read'))
    }
  }

  #free(): void {
    this.#isFree = false
    if (this.socket.isPaused()) this.socket.resume()
    this.#events.free(this, this.#keptMs)
  }

  #ended(): void {
    try {
      this.#parser.finish()
    } catch (reason) {
      this.break(reason instanceof Error ? reason : new Error('the answer cannot be read'))
    }
    this.socket.destroy()
  }
}
