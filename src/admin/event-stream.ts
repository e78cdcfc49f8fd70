/** Server-sent events (HTML Living Standard §9.2) of what happens. */
import { type Clock, systemClock } from '../base/clock.ts'

/** Shows the reader that the stream is open. */
const OPENING = ': the events of this hub, as they happen\n\n'
/** Keeps proxies from closing a stream on which nothing happens. */
const QUIET = ':\n\n'
const QUIET_MS = 25_000

/** The text of a stream, of events that are iterated. */
export async function* eventStream(
  events: unknown,
  clock: Clock = systemClock,
): AsyncGenerator<string> {
  yield OPENING
  if (!isIterable(events)) return
  const reader = events[Symbol.asyncIterator]()
  try {
    let next = reader.next()
    for (;;) {
      const said = await within(next, clock)
      if (said === undefined) yield QUIET
      else if (said.done === true) return
      else {
        yield `data: ${JSON.stringify(said.value)}\n\n`
        next = reader.next()
      }
    }
  } finally {
    await reader.return?.()
  }
}

/** What comes next; `undefined` when nothing has come in a while. */
function within<T>(next: Promise<T>, clock: Clock): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(QUIET_MS, () => resolve(undefined))
    next.then(resolve, reject).finally(cancel)
  })
}

const isIterable = (value: unknown): value is AsyncIterable<unknown> =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value
