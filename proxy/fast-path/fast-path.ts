/**
 * The short way for ordinary requests. An HTTP/1.1 request whose head comes in one piece and can be read in
 * one way only (head.ts) goes to the paywall without Node's own server, Fastify's router and their objects, at
 * little more than half of the processor time. Everything else is put back and goes the long way, and so do all paths
 * of routes other than the paywall's.
 *
 *     socket ─► plain? ──yes─► paywall ─► answer ─► next request
 *                  └────no──► node:http, with the bytes as they came
 */
import type { Socket } from 'node:net'
import { type Clock, systemClock } from '../../src/base/clock.ts'
import { fixedPart } from '../own-routes.ts'
import { type ConnectionDeps, PlainConnection, type PlainHandler } from './connection.ts'

/** How connections are kept. */
export interface FastPathOptions {
  readonly maxHeadBytes: number
  /** To the end of the first request's head, in milliseconds. */
  readonly headerTimeoutMs: number
  /** Without a request, in milliseconds; 0 is for ever. */
  readonly idleTimeoutMs: number
  readonly clock?: Clock
}

const SWEEP_MS = 1_000
const SECOND_MS = 1_000

/** All connections that are on the short way. */
export class FastPath {
  readonly #options: FastPathOptions
  readonly #clock: Clock
  readonly #connections = new Set<PlainConnection>()
  #taken: readonly string[] = []
  /** What all connections work by, once somebody answers. */
  #deps: ConnectionDeps | undefined
  #isDraining = false
  #cancelSweep: (() => void) | undefined

  constructor(options: FastPathOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
  }

  /** Connections that are on it now. */
  get size(): number {
    return this.#connections.size
  }

  /** Who answers; nothing is taken before. */
  serve(handle: PlainHandler): void {
    const { maxHeadBytes, idleTimeoutMs } = this.#options
    this.#deps = {
      handle,
      clock: this.#clock,
      maxHeadBytes,
      keepAliveLines: keepAliveLines(idleTimeoutMs),
      isTaken: (url) => this.#taken.some((prefix) => url.startsWith(prefix)),
      isDraining: () => this.#isDraining,
      left: (gone) => void this.#connections.delete(gone),
    }
  }

  /** Leaves a route's path to Fastify, and with it all that begins like it. */
  keepOff(route: string): void {
    const prefix = fixedPart(route)
    if (prefix !== '' && prefix !== '/') this.#taken = [...new Set([...this.#taken, prefix])]
    else if (route === '/') throw new TypeError('a route for / would take all paths')
  }

  /** Reads requests off `socket`, which must flow; `toNode` gets it when it is Node's to read, with the unread bytes. */
  accept(socket: Socket, toNode: (unread: Buffer | undefined) => void): void {
    if (!this.#deps || this.#isDraining) return toNode(undefined)
    this.#connections.add(new PlainConnection(socket, this.#deps, toNode))
    this.#cancelSweep ??= this.#clock.after(SWEEP_MS, () => this.#sweep())
  }

  /** Closes what is idle; the rest follows with its answers. */
  drain(): void {
    this.#isDraining = true
    for (const connection of [...this.#connections]) connection.closeIdle()
  }

  #sweep(): void {
    this.#cancelSweep = undefined
    const now = this.#clock.now()
    const { headerTimeoutMs, idleTimeoutMs } = this.#options
    for (const connection of [...this.#connections]) {
      connection.sweep(now, headerTimeoutMs, idleTimeoutMs)
    }
    if (this.#connections.size > 0) {
      this.#cancelSweep = this.#clock.after(SWEEP_MS, () => this.#sweep())
    }
  }
}

/** What Node's server says of a connection that it keeps. */
function keepAliveLines(idleTimeoutMs: number): string {
  const kept =
    idleTimeoutMs > 0 ? `Keep-Alive: timeout=${Math.floor(idleTimeoutMs / SECOND_MS)}\r\n` : ''
  return `Connection: keep-alive\r\n${kept}`
}
