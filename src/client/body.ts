/** Bodies of requests that may have to be sent twice: before the payment and after it. */
import { concat } from '../base/bytes.ts'
import { PinholeError } from '../base/errors.ts'

/** What fetch takes as a body. */
export type Body = NonNullable<RequestInit['body']>

/** Gives the body for one attempt after the other. */
export interface ReplayableBody {
  next(): Body | undefined
  /** Throws `ERR_PAYMENT_REPLAY` when it cannot be given (again). */
  check(): void
}

/** A body that fetch reads from memory each time anew. */
export const fixedBody = (body: Body | undefined): ReplayableBody => ({
  next: () => body,
  check: () => {},
})

/**
 * Reads `stream` up to `maxBytes`. What ends by then can be given as often as it is wanted; a longer one
 * goes out once, as it comes.
 */
export async function bufferedBody(
  stream: ReadableStream<Uint8Array>,
  maxBytes: number,
): Promise<ReplayableBody> {
  const reader = stream.getReader()
  const chunks: Uint8Array[] = []
  let length = 0
  while (length <= maxBytes) {
    const { done, value } = await reader.read()
    if (done) return fixedBody(concat(...chunks).slice())
    chunks.push(value)
    length += value.length
  }
  let given = false
  const check = () => {
    if (given) throw tooLong(maxBytes)
  }
  return {
    check,
    next() {
      check()
      given = true
      return continued(chunks, reader)
    },
  }
}

/** `chunks`, then what `reader` still has. */
function continued(
  chunks: Uint8Array[],
  reader: ReadableStreamDefaultReader<Uint8Array>,
): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      const kept = chunks.shift()
      if (kept) return controller.enqueue(kept)
      const { done, value } = await reader.read()
      if (done) controller.close()
      else controller.enqueue(value)
    },
    cancel: (reason) => reader.cancel(reason),
  })
}

const tooLong = (maxBytes: number): PinholeError =>
  new PinholeError(
    'ERR_PAYMENT_REPLAY',
    `the server wants to be paid, but the body of the request is a stream of more than ${maxBytes} bytes, most of which is gone`,
  )
