/** How a command that runs until it is told to stop ends. */
import { type Clock, systemClock } from '../base/clock.ts'
import { asPinholeError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { Config } from '../config/load.ts'
import type { Hub } from '../hub.ts'
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

/** Least time from one reading to the next: a burst of signals is two readings, with requests served between. */
export const RELOAD_REST_MS = 1_000

/**
 * Reads the configuration again on SIGHUP. One that is wrong is refused whole: the hub goes on as before. A signal that comes
 * before the hub has `started` waits for that.
 */
export function reloadOnSignal(
  hub: Pick<Hub, 'reload'>,
  read: () => Config,
  log: Log,
  { started, clock = systemClock }: { readonly started: Promise<unknown>; readonly clock?: Clock },
): void {
  const reload = spaced(clock, () => {
    try {
      hub.reload(read())
    } catch (error) {
      const { message } = asPinholeError(error, 'ERR_CONFIG_VALUE')
      log.error({ reason: message }, 'the new configuration is wrong and was not taken')
    }
  })
  process.on('SIGHUP', () => void started.then(reload, () => {}))
}

/** Does `action` at once, and what is asked for while it rests afterwards once, at the end of the rest. */
function spaced(clock: Clock, action: () => void): () => void {
  let state: 'free' | 'resting' | 'asked' = 'free'
  const run = () => {
    state = 'resting'
    clock.after(RELOAD_REST_MS, () => {
      if (state === 'asked') run()
      else state = 'free'
    })
    action()
  }
  return () => {
    if (state === 'free') run()
    else state = 'asked'
  }
}

/** What nobody caught leaves the process in an unknown state: it is logged and the process ends. */
export function endOnUncaught(log: Log): void {
  const end = (error: unknown) => {
    log.error({ error, stack: error instanceof Error ? error.stack : undefined }, 'uncaught error')
    process.exit(Exit.general)
  }
  process.on('uncaughtException', end).on('unhandledRejection', end)
}
