/** The log of a running hub, line by line as it comes; a hub that goes away is waited for. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { AdminClient } from '../admin/client.ts'
import type { LogLine, RequestOf } from '../admin/contract.ts'
import { isPinholeError } from '../base/errors.ts'

/** How often the hub is asked, in milliseconds. */
const POLL_MS = 1_000
/** Lines in one answer. */
const AT_ONCE = 1_000

/** What to follow, and whom to tell. */
export interface Following {
  readonly client: Pick<AdminClient, 'listLogs'>
  /** Of the first lines, which were there before. */
  readonly request: RequestOf<'listLogs'>
  /** Ends it. */
  readonly signal: AbortSignal
  readonly onLine: (line: LogLine) => void
  /** Words for people. */
  readonly onRemark: (text: string) => void
  readonly pollMs?: number
}

/** Follows the log until `signal` is aborted. Rejects when the hub refuses, or does not answer the first time. */
export async function followLogs(following: Following): Promise<void> {
  const { client, request, signal, onLine, onRemark, pollMs = POLL_MS } = following
  let { lines, cursor } = await client.listLogs(request, { signal })
  let away = false
  for (;;) {
    for (const line of lines.toReversed()) onLine(line)
    // A full answer has more behind it.
    if (lines.length < AT_ONCE || away) await sleep(pollMs, undefined, { signal })
    try {
      const next = await client.listLogs({ ...request, limit: AT_ONCE, after: cursor }, { signal })
      if (runOf(next.cursor) !== runOf(cursor)) onRemark('The hub was started anew.')
      else if (away) onRemark('The hub answers again.')
      away = false
      ;({ lines, cursor } = next)
    } catch (reason) {
      if (signal.aborted || !isPinholeError(reason, 'ERR_HUB_UNREACHABLE')) throw reason
      if (!away) onRemark(`${reason.message}. Waiting for it.`)
      away = true
      lines = []
    }
  }
}

/** What of a cursor is the same until the hub is started anew. */
const runOf = (cursor: string): string => cursor.slice(0, cursor.lastIndexOf('.'))
