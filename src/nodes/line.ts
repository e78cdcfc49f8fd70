/**
 * Where the connection to one node stands, and who waits for it.
 *
 *     connecting ─► ready ─► connecting ─(a moment)─► away ─► ready …      ended from anywhere
 *                     └────────(silent)───────────────►┘
 */
import type { Clock } from '../base/clock.ts'
import { PinholeError } from '../base/errors.ts'
import type { LightningNode } from '../../mailbox/rpc/lightning-node.ts'

/** State of a line; `reason` is what is in the way. */
export type Standing =
  | { readonly name: 'ready'; readonly node: LightningNode }
  | { readonly name: 'connecting'; readonly reason: PinholeError | undefined }
  /** Not connected, or silent, for longer than a moment. */
  | { readonly name: 'away'; readonly reason: PinholeError }

/** A connection that is gone for less, in milliseconds, is waited for: a node or a relay that restarts. */
export const AWAY_AFTER_MS = 3_000

/** The line to one node. `lnc-line.ts` and `lnd-line.ts` say when it is up and down. */
export class Line {
  readonly name: string
  readonly #clock: Clock
  readonly #listeners = new Set<(standing: Standing) => void>()
  #standing: Standing = { name: 'connecting', reason: undefined }
  #stopTimer: () => void
  #ended = false

  constructor(name: string, clock: Clock) {
    this.name = name
    this.#clock = clock
    this.#stopTimer = this.#startTimer()
  }

  get standing(): Standing {
    return this.#standing
  }

  /** Calls `listener` after every change; the returned function ends that. */
  onChange(listener: (standing: Standing) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Calls go through `node` from now on. */
  up(node: LightningNode): void {
    this.#stopTimer()
    this.#enter({ name: 'ready', node })
  }

  /** There is no connection, for `reason` when that is known. */
  down(reason: PinholeError | undefined): void {
    if (this.#standing.name === 'ready') {
      this.#stopTimer = this.#startTimer()
      this.#enter({ name: 'connecting', reason })
    } else if (reason && reason !== this.#standing.reason) {
      this.#enter({ name: this.#standing.name, reason })
    }
  }

  /** The connection stands, but the node has answered nothing for too long: it is not waited for. */
  silent(reason: PinholeError): void {
    this.#stopTimer()
    this.#enter({ name: 'away', reason })
  }

  /** No connection will come any more; those who wait are told so. */
  end(): void {
    this.#stopTimer()
    this.#enter({ name: 'away', reason: closedError(this.name) })
    this.#ended = true
    this.#listeners.clear()
  }

  /**
   * The node, at once or as soon as it is connected. Rejects with `ERR_NODE_OFFLINE` when it is away, also
   * while waiting, and after `timeoutMs`.
   */
  whenReady(timeoutMs: number): Promise<LightningNode> {
    return new Promise((resolve, reject) => {
      const look = (standing: Standing) => {
        if (standing.name === 'connecting') return
        stop()
        if (standing.name === 'ready') resolve(standing.node)
        else reject(this.offline())
      }
      const late = () => {
        stop()
        reject(this.offline())
      }
      const stopListening = this.onChange(look)
      const stopTimer = this.#clock.after(timeoutMs, late)
      const stop = () => {
        stopListening()
        stopTimer()
      }
      look(this.#standing)
    })
  }

  /** Why the node cannot be asked now. */
  offline(): PinholeError {
    const reason = 'reason' in this.#standing ? this.#standing.reason : undefined
    const why = reason?.message ?? 'it is being connected to'
    return new PinholeError('ERR_NODE_OFFLINE', `the node ${this.name} is away: ${why}`, {
      cause: reason,
    })
  }

  #startTimer(): () => void {
    return this.#clock.after(AWAY_AFTER_MS, () => {
      const reason = 'reason' in this.#standing ? this.#standing.reason : undefined
      this.#enter({ name: 'away', reason: reason ?? silentError() })
    })
  }

  #enter(next: Standing): void {
    if (this.#ended) return
    this.#standing = next
    for (const listener of [...this.#listeners]) listener(next)
  }
}

const silentError = () => new PinholeError('ERR_NODE_OFFLINE', 'it does not answer')

const closedError = (name: string) =>
  new PinholeError('ERR_SESSION_CLOSED', `the line to the node ${name} was closed`)
