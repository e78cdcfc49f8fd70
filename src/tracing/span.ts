/** What every span has in common. */
import { type Span, SpanStatusCode } from '@opentelemetry/api'

/** What `run` returns; `undefined` when it throws. Tracers are others' code. */
export function quietly<T>(run: () => T): T | undefined {
  try {
    return run()
  } catch {
    return undefined
  }
}

/** Marks a span as failed. */
export function failSpan(span: Span, reason: unknown): void {
  const error = reason instanceof Error ? reason : new Error(String(reason))
  quietly(() => {
    span.setStatus({ code: SpanStatusCode.ERROR, message: error.message })
    if ('code' in error) span.setAttribute('error.type', String(error.code))
    span.recordException(error)
  })
}
