/** Runs what has no end until Ctrl-C or SIGTERM ends it, which is no failure. */
export async function untilInterrupted(run: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const stop = new AbortController()
  const abort = () => stop.abort()
  process.once('SIGINT', abort).once('SIGTERM', abort)
  try {
    await run(stop.signal)
  } catch (reason) {
    if (!stop.signal.aborted) throw reason
  } finally {
    process.off('SIGINT', abort).off('SIGTERM', abort)
  }
}
