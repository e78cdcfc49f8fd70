/** W3C Trace Context, for programs that have registered a tracer but nothing that reads and writes its headers. */
import {
  type Context,
  createTraceState,
  isSpanContextValid,
  type TextMapGetter,
  type TextMapPropagator,
  type TextMapSetter,
  trace,
} from '@opentelemetry/api'

const PARENT = 'traceparent'
const STATE = 'tracestate'
/** `version-trace-span-flags`; later versions may have more after them. */
const SHAPE = /^(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/
const CURRENT_VERSION = '00'

/** Reads and writes `traceparent` and `tracestate`. */
export class TraceContext implements TextMapPropagator {
  fields(): string[] {
    return [PARENT, STATE]
  }

  extract(before: Context, carrier: unknown, getter: TextMapGetter): Context {
    const text = getter.get(carrier, PARENT)
    const [, version, traceId, spanId, flags, more] = SHAPE.exec(String(text)) ?? []
    if (traceId === undefined || spanId === undefined || flags === undefined) return before
    if (version === CURRENT_VERSION && more !== undefined) return before
    const state = getter.get(carrier, STATE)
    const parent = {
      traceId,
      spanId,
      traceFlags: Number.parseInt(flags, 16),
      isRemote: true,
      ...(typeof state === 'string' ? { traceState: createTraceState(state) } : {}),
    }
    return isSpanContextValid(parent) ? trace.setSpanContext(before, parent) : before
  }

  inject(from: Context, carrier: unknown, setter: TextMapSetter): void {
    const span = trace.getSpanContext(from)
    if (!span || !isSpanContextValid(span)) return
    const { traceId, spanId, traceFlags, traceState } = span
    const flags = traceFlags.toString(16).padStart(2, '0')
    setter.set(carrier, PARENT, `${CURRENT_VERSION}-${traceId}-${spanId}-${flags}`)
    const state = traceState?.serialize()
    if (state) setter.set(carrier, STATE, state)
  }
}
