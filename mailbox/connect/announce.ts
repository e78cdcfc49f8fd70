/** Tells listeners of a change of state. */
import type { Log } from '../../src/base/log.ts'

/** Calls each of `listeners` with `state`. One that throws is logged: a connection goes on without its listeners. */
export function announce<State>(
  listeners: Iterable<(state: State) => void>,
  state: State,
  log: Log,
): void {
  for (const listener of [...listeners]) {
    try {
      listener(state)
    } catch (error) {
      log.error({ error }, 'a listener of onState threw')
    }
  }
}
