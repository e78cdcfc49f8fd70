import { Writable } from 'node:stream'
import type { Output } from './output.ts'

/** Runs what has no end until Ctrl-C, SIGTERM or a reader that goes away (`| head`) ends it, which is no failure. */
export async function untilInterrupted(
  { stdout }: Output,
  run: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const stop = new AbortController()
  const abort = () => stop.abort()
  const written = stdout instanceof Writable ? stdout : undefined
  process.once('SIGINT', abort).once('SIGTERM', abort)
  written?.on('error', abort)
  try {
    await run(stop.signal)
  } catch (reason) {
    if (!stop.signal.aborted) throw reason
  } finally {
    process.off('SIGINT', abort).off('SIGTERM', abort)
    written?.off('error', abort)
  }
}
