import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'

const BURST_BYTES = 600_000

/** Reads in bursts, so that the hub has to hold what it could not write; the SHA-256 of it all in hex. */
export async function slowHash(body: Readable): Promise<string> {
  const hash = createHash('sha256')
  let sinceRest = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    hash.update(chunk)
    sinceRest += chunk.length
    if (sinceRest < BURST_BYTES) continue
    sinceRest = 0
    await sleep(5)
  }
  return hash.digest('hex')
}
