/** Server-sent events (HTML Living Standard §9.2) of what happens. */

/** Keeps proxies from closing a stream on which nothing happens. */
const OPENING = ': the events of this hub, as they happen\n\n'

/** The text of a stream, of events that are iterated. */
export async function* eventStream(events: unknown): AsyncGenerator<string> {
  yield OPENING
  if (!isIterable(events)) return
  for await (const event of events) yield `data: ${JSON.stringify(event)}\n\n`
}

const isIterable = (value: unknown): value is AsyncIterable<unknown> =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value
