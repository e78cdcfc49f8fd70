/** What the relay counts, as plain numbers; `metrics.ts` shows them to Prometheus. */
import type { PinholeError } from '../../src/base/errors.ts'
import { Activity } from './activity.ts'

/** The ways to speak to the relay. */
export type Face = 'grpc' | 'websocket' | 'rest'

/** The faces, for whoever counts by them. */
export const FACES: readonly Face[] = ['grpc', 'websocket', 'rest']

export class Meter {
  /** Messages handed to readers, and their bytes. */
  messages = 0
  bytes = 0
  /** Open sends and receives. */
  readonly streams: Record<Face, number> = { grpc: 0, websocket: 0, rest: 0 }
  /** Refusals by error code: a closed set, so that the number of series is bounded. */
  readonly refusals = new Map<string, number>()
  readonly activity: Activity

  constructor(nowMs: () => number) {
    this.activity = new Activity(nowMs)
  }

  /** `count` messages of box `key` have been written to its reader. */
  relayed(key: string, count: number, bytes: number): void {
    this.messages += count
    this.bytes += bytes
    this.activity.read(key, count)
  }

  /** A request was refused. */
  refused(reason: PinholeError): void {
    this.refusals.set(reason.code, (this.refusals.get(reason.code) ?? 0) + 1)
  }
}
