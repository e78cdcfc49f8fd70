/** A long answer as text, a part at a time: however long it is, no more of it is kept than was just read. */
import { wrongAnswer } from './failure.ts'

/** The text of an answer. `waits` tells when something is waited for and when no more, so that it can be bound in time. */
export async function* readTexts(
  { body }: Response,
  base: string,
  waits: (waiting: boolean) => void,
): AsyncGenerator<string, void, undefined> {
  if (!body) throw wrongAnswer(base, 'nothing')
  const reader = body.pipeThrough(new TextDecoderStream()).getReader()
  try {
    for (;;) {
      waits(true)
      const { done, value } = await reader.read()
      waits(false)
      if (done) return
      yield value
    }
  } finally {
    // Whoever leaves the loop lets go of the connection; that it may be gone already is fine.
    await reader.cancel().catch(() => {})
  }
}
