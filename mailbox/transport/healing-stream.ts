/**
 * One side of a mailbox (the box read or the box written) that opens its stream again whenever it ends.
 * Each state is built by a function of its name and owns its timers; `#enter` is the only transition.
 *
 *     preparing ─► asking ─► open ─┐
 *         ▲           └────────────┴─► waiting ─► preparing …          closed from anywhere
 */
import type { Clock } from '../../src/base/clock.ts'
import { backoffMs, NOT_FOUND, RECONNECT } from './backoff.ts'
import type { FailureKind, RelayFailure } from './failure.ts'
import type { RelayStream, StreamEvents } from './relay-client.ts'

/** What one side is made of. */
export interface HealingStreamOptions<S extends RelayStream> {
  /** Runs before every opening: the end that owns the boxes creates this one. */
  readonly prepare?: () => Promise<RelayFailure | undefined>
  readonly open: (events: StreamEvents) => S
  readonly onMessage?: (bytes: Uint8Array) => void
  /** Called after every change of `phase` or `failure`. */
  readonly onChange: () => void
  /** Called whenever the stream has become open. */
  readonly onOpen: () => void
  readonly clock: Clock
  /** Numbers from 0 to 1, for jitter. */
  readonly random: () => number
}

/** What the link above needs to know of a side. */
export type Phase = 'connecting' | 'open' | 'failing' | 'closed'

interface State<S> {
  readonly phase: Phase
  readonly stream?: S
  /** Why it is not open; kept while a new try has not been accepted. */
  readonly failure?: RelayFailure | undefined
  /** Drops timers and late answers of this state. */
  leave(): void
}

/** Silence after which a side that was refused before counts as accepted: relays do not say yes. */
const GRACE_MS: Partial<Record<FailureKind, number>> = {
  'not-found': 100,
  // A relay waits 250 ms for the other connection to leave before it refuses (LNC §10.3).
  'in-use': 350,
}

/** An open stream that lasted this long starts the backoff anew. */
const STABLE_MS = 2000

export class HealingStream<S extends RelayStream> {
  readonly #options: HealingStreamOptions<S>
  #state: State<S>
  #attempt = 0

  constructor(options: HealingStreamOptions<S>) {
    this.#options = options
    this.#state = { phase: 'connecting', leave() {} }
  }

  get phase(): Phase {
    return this.#state.phase
  }

  /** The last failure, until a stream is open again. */
  get failure(): RelayFailure | undefined {
    return this.#state.failure
  }

  /** The stream, when there is one to use. */
  get stream(): S | undefined {
    return this.#state.stream
  }

  /** Opens for the first time. */
  start(): void {
    this.#enter(this.#preparing(undefined))
  }

  /** Does not wait any longer if the relay could not be reached: the other side got through. */
  hurry(): void {
    const { failure, stream } = this.#state
    if (failure?.kind === 'unreachable' && !stream) this.#enter(this.#preparing(failure))
  }

  /** Ends the stream in order and stays closed. */
  async close(): Promise<void> {
    const { stream } = this.#state
    this.#enter({ phase: 'closed', leave() {} })
    await stream?.close()
  }

  #enter(next: State<S>): void {
    if (this.#state.phase === 'closed') {
      next.leave()
      return
    }
    this.#state.leave()
    this.#state = next
    this.#options.onChange()
  }

  #preparing(failure: RelayFailure | undefined): State<S> {
    let left = false
    const { prepare } = this.#options
    void (prepare ? prepare() : Promise.resolve(undefined)).then((refused) => {
      if (left) return
      if (refused) this.#fail(refused)
      else this.#enter(this.#asking(failure))
    })
    return { phase: phaseAfter(failure), failure, leave: () => (left = true) }
  }

  #asking(failure: RelayFailure | undefined): State<S> {
    const { clock, open, onMessage } = this.#options
    const begunMs = clock.now()
    let openMs: number | undefined
    let cancel = () => {}
    const leave = () => cancel()
    const accepted = () => {
      if (openMs !== undefined) return
      openMs = clock.now()
      this.#enter({ phase: 'open', stream, leave })
      this.#options.onOpen()
    }
    const stream: S = open({
      opened: () => {
        const graceMs = failure && GRACE_MS[failure.kind]
        if (graceMs === undefined) accepted()
        else cancel = clock.after(graceMs + (clock.now() - begunMs), accepted)
      },
      confirmed: () => {
        this.#attempt = 0
        accepted()
      },
      message: (bytes) => {
        accepted()
        onMessage?.(bytes)
      },
      end: (reason) => {
        if (openMs !== undefined && clock.now() - openMs >= STABLE_MS) this.#attempt = 0
        this.#fail(reason)
      },
    })
    return { phase: phaseAfter(failure), stream, failure, leave }
  }

  #fail(failure: RelayFailure): void {
    this.#enter(this.#waiting(failure))
  }

  #waiting(failure: RelayFailure): State<S> {
    const { clock, random } = this.#options
    const bounds = failure.kind === 'not-found' ? NOT_FOUND : RECONNECT
    const delayMs = backoffMs(this.#attempt++, bounds, random)
    const cancel = clock.after(delayMs, () => this.#enter(this.#preparing(failure)))
    return { phase: 'failing', failure, leave: cancel }
  }
}

const phaseAfter = (failure: RelayFailure | undefined): Phase =>
  failure ? 'failing' : 'connecting'
