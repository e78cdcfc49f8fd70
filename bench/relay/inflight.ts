/** Many writers against full boxes: what the relay takes into memory before it makes them wait. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Relay } from '../../test/interop/relays.ts'
import { RELAY_DEFAULTS } from '../../mailbox/relay/limits.ts'
import { residentBytes, table } from '../measure.ts'
import { flood } from './flood.ts'

const BOXES = 1000
const MESSAGES = 20
/** The peak is looked for as long as this, in steps. */
const WATCH_MS = 12_000
const STEP_MS = 100

const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`

async function peakOf(stalledReader: boolean): Promise<string[]> {
  const relay = await Relay.start('pinhole')
  const pid = relay.pid ?? 0
  try {
    await sleep(1000)
    const before = residentBytes(pid)
    const flooded = flood({
      address: relay.address,
      boxes: BOXES,
      messages: MESSAGES,
      stalledReader,
    })
    let peak = before
    for (let passed = 0; passed < WATCH_MS; passed += STEP_MS) {
      await sleep(STEP_MS)
      peak = Math.max(peak, residentBytes(pid))
    }
    const { offered, end } = await flooded
    const held = residentBytes(pid)
    end()
    return [
      stalledReader ? 'stalled' : 'none',
      megabytes(offered),
      megabytes(RELAY_DEFAULTS.maxBufferedBytes),
      megabytes(peak - before),
      megabytes(held - before),
    ]
  } finally {
    await relay.stop()
  }
}

/** 1,000 boxes, 20 messages of 32 KiB offered to each. */
export async function inflight(): Promise<void> {
  table(
    ['readers', 'offered', 'maxbufferedbytes', 'relay, peak', 'relay, then'],
    [await peakOf(false), await peakOf(true)],
  )
}
