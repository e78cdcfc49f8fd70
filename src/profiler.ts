/** Profiles of the thread that serves requests, by V8's own profilers; no debugger is opened for them. */
import type { Session } from 'node:inspector/promises'
import type { Clock } from './base/clock.ts'

/** What a profile is of. */
export type ProfileKind = keyof typeof TAKE

/** Ends as `signal` says, or by itself. */
type Wait = () => Promise<void>

const TAKE = {
  /** Where processor time goes. */
  async cpu(session: Session, wait: Wait): Promise<object> {
    await session.post('Profiler.enable')
    await session.post('Profiler.start')
    await wait()
    return (await session.post('Profiler.stop')).profile
  },
  /** Who allocated what is still there at the end. */
  heap: (session: Session, wait: Wait) => sampleMemory(session, wait, false),
  /** Who allocated, whether it is still there or not. */
  allocs: (session: Session, wait: Wait) => sampleMemory(session, wait, true),
}

/** Mean distance of samples, in bytes. */
const SAMPLE_BYTES = 32_768

async function sampleMemory(session: Session, wait: Wait, collected: boolean): Promise<object> {
  const wanted = {
    samplingInterval: SAMPLE_BYTES,
    includeObjectsCollectedByMajorGC: collected,
    includeObjectsCollectedByMinorGC: collected,
  }
  await session.post('HeapProfiler.enable')
  await session.post('HeapProfiler.startSampling', wanted)
  await wait()
  return (await session.post('HeapProfiler.stopSampling')).profile
}

/** How long, and who may end it before. */
export interface ProfileSpan {
  readonly ms: number
  readonly clock: Clock
  readonly signal: AbortSignal
}

/**
 * Takes a profile and returns it as JSON (a `.cpuprofile` or a `.heapprofile`). It has names of functions and files, and no
 * values. Throws Node's error where Node was built without an inspector.
 */
export async function takeProfile(kind: ProfileKind, span: ProfileSpan): Promise<string> {
  const inspector = await import('node:inspector/promises')
  const session = new inspector.Session()
  session.connect()
  try {
    return JSON.stringify(await TAKE[kind](session, () => over(span)))
  } finally {
    session.disconnect()
  }
}

function over({ ms, clock, signal }: ProfileSpan): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const cancel = clock.after(ms, resolve)
    const ended = () => {
      cancel()
      resolve()
    }
    signal.addEventListener('abort', ended, { once: true })
  })
}
