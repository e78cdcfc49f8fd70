/** How a command that runs until it is told to stop ends. */
import type { Log } from '../base/log.ts'
import { Exit, type ExitCode } from './exit.ts'

/** Ends `running` in order on the first signal, the process at once on the second; resolves when it has ended. */
export function endOnSignal(
  running: { close(): Promise<void> },
  what: string,
  log: Log,
): Promise<ExitCode> {
  return new Promise((resolve, reject) => {
    let signals = 0
    const onSignal = (signal: NodeJS.Signals) => {
      signals++
      if (signals > 1) process.exit(Exit.general)
      log.info({ signal }, `the ${what} ends; a second signal ends it at once`)
      running.close().then(() => {
        log.info({}, `the ${what} has ended`)
        process.off('SIGTERM', onSignal).off('SIGINT', onSignal)
        resolve(Exit.ok)
      }, reject)
    }
    process.on('SIGTERM', onSignal).on('SIGINT', onSignal)
  })
}

/** What nobody caught leaves the process in an unknown state: it is logged and the process ends. */
export function endOnUncaught(log: Log): void {
  const end = (error: unknown) => {
    log.error({ error, stack: error instanceof Error ? error.stack : undefined }, 'uncaught error')
    process.exit(Exit.general)
  }
  process.on('uncaughtException', end).on('unhandledRejection', end)
}
