/** Sessions by which clients of the sandbox pay: each pairs with the buyer's node once and ends when it leaves. */
import { listen, type Listener } from '../../mailbox/listen/listen.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { SimulatedNode } from './simulated-node.ts'

const MAX_SESSIONS = 32
/** A session that nobody has come for, or whose client has left, is kept for so long. */
const IDLE_MS = 60_000

/** What a buyer may do at its node. */
const PERMISSIONS = [
  { entity: 'info', actions: ['read'] },
  { entity: 'offchain', actions: ['read', 'write'] },
]

/** The sessions of one sandbox. */
export class Buyers {
  readonly #node: SimulatedNode
  readonly #clock: Clock
  readonly #log: Log
  readonly #sessions = new Set<Promise<Listener>>()
  #isClosed = false

  constructor(node: SimulatedNode, clock: Clock, log: Log) {
    this.#node = node
    this.#clock = clock
    this.#log = log
  }

  /** Lets the buyer's node wait at `mailbox` for one more client; `undefined` when too many are open. */
  async open(mailbox: string): Promise<{ readonly phrase: string } | undefined> {
    if (this.#isClosed || this.#sessions.size >= MAX_SESSIONS) return undefined
    const opening = listen({
      mailbox,
      server: this.#node.server,
      authData: `Macaroon: ${this.#node.macaroons.bake(PERMISSIONS)}`,
      clock: this.#clock,
      log: this.#log,
    })
    this.#sessions.add(opening)
    try {
      const session = await opening
      this.#endWhenLeft(session, opening)
      return { phrase: session.phrase ?? '' }
    } catch (reason) {
      this.#sessions.delete(opening)
      throw reason
    }
  }

  /** Ends all sessions. */
  async close(): Promise<void> {
    this.#isClosed = true
    const ended = [...this.#sessions].map((opening) =>
      opening.then(
        (session) => session.close(),
        () => {},
      ),
    )
    await Promise.all(ended)
  }

  #endWhenLeft(session: Listener, opening: Promise<Listener>): void {
    const end = () => {
      this.#sessions.delete(opening)
      void session.close()
    }
    let cancel = this.#clock.after(IDLE_MS, end)
    session.onState(({ name }) => {
      cancel()
      if (name === 'listening') cancel = this.#clock.after(IDLE_MS, end)
      if (name === 'closed') this.#sessions.delete(opening)
    })
  }
}
