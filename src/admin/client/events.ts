/** Server-sent events (HTML Living Standard §9.2) of a hub, read one by one. */
import { PinholeError } from '../../base/errors.ts'
import { type HubEvent, operations } from '../contract.ts'
import { wrongAnswer } from './failure.ts'

/** Longest event, in characters: many times what a hub sends. */
const MAX_EVENT = 1_048_576

/** The events of an answer, until it ends; `ERR_HUB_UNREACHABLE` when the hub ended it. */
export async function* readEvents(response: Response, base: string): AsyncGenerator<HubEvent> {
  const { body } = response
  if (!body) throw wrongAnswer(base, 'no events')
  const reader = body.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      const blocks = (rest + value.replaceAll('\r', '')).split('\n\n')
      rest = blocks.pop() ?? ''
      if (rest.length > MAX_EVENT) throw wrongAnswer(base, 'an event without an end')
      for (const block of blocks) {
        const data = dataOf(block)
        if (data !== '') yield eventOf(data, base)
      }
    }
  } finally {
    // Whoever leaves the loop lets go of the connection; that it may be gone already is fine.
    await reader.cancel().catch(() => {})
  }
  throw new PinholeError('ERR_HUB_UNREACHABLE', `the hub at ${base} has ended`)
}

/** What the lines `data:` of a block say; empty for a comment, which keeps the connection alive. */
const dataOf = (block: string): string =>
  block
    .split('\n')
    .filter((line) => line.startsWith('data:'))
    .map((line) => line.slice('data:'.length).trimStart())
    .join('\n')

function eventOf(data: string, base: string): HubEvent {
  let value: unknown
  try {
    value = JSON.parse(data)
  } catch {
    throw wrongAnswer(base, 'an event that is no JSON')
  }
  const read = operations.streamEvents.response.safeParse(value)
  if (read.success) return read.data
  throw wrongAnswer(base, `an event of no known kind: ${read.error.issues[0]?.message ?? ''}`)
}
