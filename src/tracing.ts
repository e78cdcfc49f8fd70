/**
 * Traces by OpenTelemetry's API. Whether a program has registered a tracer is asked once in a process; without one
 * nothing is measured, made or sent. What a tracer throws is dropped: no request fails for it.
 */
import { context, ProxyTracerProvider, SpanKind, trace, type Tracer } from '@opentelemetry/api'
import type { Tracing } from '../proxy/tracing.ts'
import { RequestTrace } from './tracing/request-trace.ts'
import { failSpan, quietly } from './tracing/span.ts'
import { VERSION } from './version.ts'

const NAME = 'pinhole'

let known: { readonly tracer: Tracer | undefined } | undefined

/** The tracer that was registered before the first call of this, by `node --import` for example. */
function registered(): Tracer | undefined {
  known ??= { tracer: look() }
  return known.tracer
}

function look(): Tracer | undefined {
  const provider = trace.getTracerProvider()
  // One of another copy of the API is there only when somebody has registered it.
  if (provider instanceof ProxyTracerProvider && !provider.getDelegateTracer(NAME)) return undefined
  return provider.getTracer(NAME, VERSION)
}

/** Follows requests at the paywall; `undefined` when nobody has registered a tracer. */
export function requestTracing(): Tracing | undefined {
  const tracer = registered()
  return tracer && { begin: (req, id) => new RequestTrace(tracer, req, id) }
}

/** Runs `run` as a span below the one that is active, and returns what it does. */
export function traced<T>(
  name: string,
  attributes: Readonly<Record<string, string>>,
  run: () => Promise<T>,
): Promise<T> {
  const tracer = registered()
  if (!tracer) return run()
  const span = quietly(() => tracer.startSpan(name, { kind: SpanKind.CLIENT, attributes }))
  if (!span) return run()
  const running = context.with(trace.setSpan(context.active(), span), run)
  running.then(
    () => quietly(() => span.end()),
    (error: unknown) => {
      failSpan(span, error)
      quietly(() => span.end())
    },
  )
  return running
}
