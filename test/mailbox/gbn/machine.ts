/** What a simulation runs at each end: our core, or a model of Go's (`go-machine.ts`). */
import type { Effect, Event, Role } from '../../../mailbox/gbn/events.ts'
import { greet, listen } from '../../../mailbox/gbn/handshake.ts'
import { deadline, hasRoom, outstanding, step, type State } from '../../../mailbox/gbn/step.ts'

/** One end's protocol, without an application. */
export interface Machine {
  start(now: number): readonly Effect[]
  on(event: Event): readonly Effect[]
  /** When the next `timer` event is due. */
  readonly deadline: number
  readonly hasRoom: boolean
  readonly outstanding: number
}

/** Our core. */
export class CoreMachine implements Machine {
  #state: State = listen()
  readonly #role: Role

  constructor(role: Role) {
    this.#role = role
  }

  start(now: number): readonly Effect[] {
    if (this.#role === 'server') return []
    const { state, effects } = greet(now, 60_000)
    this.#state = state
    return effects
  }

  on(event: Event): readonly Effect[] {
    const { state, effects } = step(this.#state, event)
    this.#state = state
    return effects
  }

  get deadline(): number {
    return deadline(this.#state)
  }

  get hasRoom(): boolean {
    return hasRoom(this.#state)
  }

  get outstanding(): number {
    return outstanding(this.#state)
  }
}
