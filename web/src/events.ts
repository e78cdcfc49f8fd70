/** What happens at the hub, as it happens: one stream for all pages, opened anew when it breaks. */
import { useEffect, useState } from 'preact/hooks'
import type { HubEvent } from '../../src/admin/contract.ts'
import { ApiError, listen } from './api.ts'

/** Kept for the feed. */
const MAX_KEPT = 50
const FIRST_PAUSE_MS = 1_000
const MAX_PAUSE_MS = 30_000

/** The stream and what came by it, newest first. */
export interface Feed {
  readonly state: 'connecting' | 'live' | 'broken'
  readonly error: unknown
  readonly events: readonly HubEvent[]
}

let feed: Feed = { state: 'connecting', error: undefined, events: [] }
const listeners = new Set<(event: HubEvent | undefined) => void>()

function change(next: Partial<Feed>, event?: HubEvent): void {
  feed = { ...feed, ...next }
  for (const listener of listeners) listener(event)
}

/** Listens until `signal`. A hub without events is not asked again. */
export async function keepListening(signal: AbortSignal): Promise<void> {
  let pauseMs = FIRST_PAUSE_MS
  while (!signal.aborted) {
    change({ state: 'connecting' })
    try {
      await listen(signal, {
        open: () => {
          pauseMs = FIRST_PAUSE_MS
          change({ state: 'live', error: undefined })
        },
        event: (event) => change({ events: [event, ...feed.events].slice(0, MAX_KEPT) }, event),
      })
    } catch (error) {
      if (signal.aborted) return
      change({ state: 'broken', error })
      const final = error instanceof ApiError && error.status >= 400 && error.status < 600
      if (final && error.status !== 503) return
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
    pauseMs = Math.min(MAX_PAUSE_MS, 2 * pauseMs)
  }
}

/** The feed as it is now. */
export function useFeed(): Feed {
  const [state, setState] = useState(feed)
  useEffect(() => {
    const update = () => setState(feed)
    update()
    listeners.add(update)
    return () => void listeners.delete(update)
  }, [])
  return state
}

/** Calls `on` for each event; `on` may change without being missed. */
export function useEvent(on: (event: HubEvent) => void): void {
  useEffect(() => {
    const listener = (event: HubEvent | undefined) => void (event && on(event))
    listeners.add(listener)
    return () => void listeners.delete(listener)
  })
}
