/** What pages read from the hub, and what they have it do. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import type { OperationName, RequestOf, ResponseOf } from '../../src/admin/contract.ts'
import { call } from './api.ts'

/** An answer, or why there is none; while it is read again the last one stays. */
export interface Loaded<Value> {
  readonly value: Value | undefined
  readonly error: unknown
  readonly reload: () => void
}

/** Reads, again whenever the request changes, and every `everyMs` when given. */
export function useLoad<Name extends OperationName>(
  name: Name,
  request: RequestOf<Name>,
  everyMs?: number,
): Loaded<ResponseOf<Name>> {
  const [state, setState] = useState<{ value?: ResponseOf<Name>; error?: unknown }>({})
  const [turn, setTurn] = useState(0)
  const key = JSON.stringify(request)
  useEffect(() => {
    const left = new AbortController()
    call(name, JSON.parse(key) as RequestOf<Name>, left.signal).then(
      (value) => left.signal.aborted || setState({ value }),
      (error: unknown) => left.signal.aborted || setState((last) => ({ ...last, error })),
    )
    return () => left.abort()
  }, [name, key, turn])
  useEffect(() => {
    if (everyMs === undefined) return
    const timer = setInterval(() => document.hidden || setTurn((last) => last + 1), everyMs)
    return () => clearInterval(timer)
  }, [everyMs])
  const reload = useCallback(() => setTurn((last) => last + 1), [])
  return { value: state.value, error: state.error, reload }
}

/** Something that a person starts. */
export interface Action {
  readonly busy: boolean
  readonly error: unknown
  /** Runs it; resolves with whether it went well. A second start while it runs does nothing. */
  readonly run: (work: () => Promise<unknown>) => Promise<boolean>
  readonly forget: () => void
}

/** Runs what a person starts, one at a time, and keeps what went wrong. */
export function useAction(): Action {
  const [state, setState] = useState<{ busy: boolean; error?: unknown }>({ busy: false })
  const running = useRef(false)
  const run = useCallback(async (work: () => Promise<unknown>) => {
    if (running.current) return false
    running.current = true
    setState({ busy: true })
    try {
      await work()
      setState({ busy: false })
      return true
    } catch (error) {
      setState({ busy: false, error })
      return false
    } finally {
      running.current = false
    }
  }, [])
  const forget = useCallback(() => setState({ busy: false }), [])
  return { busy: state.busy, error: state.error, run, forget }
}

/** `value`, once it has not changed for `ms`. */
export function useSettled<Value>(value: Value, ms: number): Value {
  const [settled, setSettled] = useState(value)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), ms)
    return () => clearTimeout(timer)
  }, [value, ms])
  return settled
}
