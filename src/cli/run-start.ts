/** Runs a hub, or the sandbox, until a signal ends it. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { PinholeError } from '../base/errors.ts'
import { bothLogs, type Log } from '../base/log.ts'
import type { Flags } from '../config/flags.ts'
import { type Config, loadConfig } from '../config/load.ts'
import { createHub } from '../hub.ts'
import { LogFile } from '../log-file.ts'
import { createLogger } from '../logger.ts'
import { sandboxConfig } from '../sandbox/sandbox.ts'
import { checkUnused } from '../sandbox/unused.ts'
import type { ExitCode } from './exit.ts'
import { type Output, writeResult } from './output.ts'
import { runSandbox } from './sandbox.ts'
import { endOnSignal, endOnUncaught, reloadOnSignal } from './signals.ts'
import type { StartOptions } from './start.ts'

/** Runs the hub, or the sandbox, until a signal ends it. */
export async function runHub(
  options: StartOptions,
  flags: Flags,
  output: Output,
): Promise<ExitCode> {
  const { sandbox = false, json = false, basedir, configfile } = options
  const read = () => loadConfig({ basedir, configfile, flags })
  const config = sandbox ? configOfSandbox(options, flags) : read()
  const shown = consoleLog(output, config, json)
  // What a sandbox is started with is not to be changed by it.
  const file = sandbox ? undefined : openLogFile(config, shown)
  const log = file ? bothLogs(shown, file.log) : shown
  endOnUncaught(log)
  if (sandbox) return runSandbox(config, log, output, json)
  try {
    const hub = createHub(config, { log })
    const ended = endOnSignal(hub, 'hub', log)
    const readAgain = () => {
      // As programs expect that move logs aside.
      file?.sink.reopen()
      const next = read()
      checkStillThere(config.configfile, next.configfile)
      return next
    }
    const started = hub.listen()
    reloadOnSignal(hub, readAgain, log, { started })
    const address = await started
    log.info({ config: config.configfile || undefined, address }, 'the hub listens')
    writeResult(output, { address }, json)
    return await ended
  } finally {
    // One that was moved aside may be being compressed.
    await file?.sink.close()
  }
}

/**
 * A file that is gone or empty is what a full disk or an editor leaves behind: all defaults would take every service off.
 * Throws `ERR_CONFIG_FILE`.
 */
function checkStillThere(before: string, now: string): void {
  if (before === '') return
  if (now === '') throw new PinholeError('ERR_CONFIG_FILE', `${before} is not there any more`)
  if (readFileSync(now, 'utf8').trim() !== '') return
  throw new PinholeError('ERR_CONFIG_FILE', `${now} is empty`)
}

/** The sandbox uses nothing of what is set up, and does not let anybody think that it did. */
function configOfSandbox(
  { basedir, configfile, ignoreConfig = false }: StartOptions,
  flags: Flags,
): Config {
  if (configfile !== undefined && configfile !== '') {
    throw new PinholeError('ERR_CLI_USAGE', 'give either --sandbox or --configfile')
  }
  const config = sandboxConfig(flags, basedir)
  if (!ignoreConfig) checkUnused(config.basedir)
  return config
}

/** Name of the log in the base folder. */
const LOG_FILE = 'pinhole.log'
const MEGABYTE = 1_048_576

/** The log on disk, unless that is not wanted or cannot be, which `shown` is told. */
function openLogFile(config: Config, shown: Log): { log: Log; sink: LogFile } | undefined {
  const { disable, level, notimestamps, compressor, maxlogfiles, maxlogfilesize } =
    config.logging.file
  if (disable) return undefined
  const file = path.join(config.basedir, LOG_FILE)
  const told = (error: unknown) =>
    shown.warn({ file, error }, 'the log file is not written, see logging.file')
  try {
    const maxBytes = maxlogfilesize * MEGABYTE
    const sink = new LogFile({ file, maxBytes, maxFiles: maxlogfiles, compressor }, told)
    const debuglevel = level || config.debuglevel || 'info'
    return { sink, log: createLogger({ debuglevel, timestamps: !notimestamps }, sink) }
  } catch (error) {
    told(error)
    return undefined
  }
}

function consoleLog({ stderr }: Output, config: Config, json: boolean): Log {
  const { console } = config.logging
  const terminal = stderr.isTTY === true && !json
  return createLogger(
    {
      debuglevel: console.level || config.debuglevel || 'info',
      pretty: terminal,
      colours: terminal && (console.style || process.env['NO_COLOR'] === undefined),
      timestamps: !console.notimestamps,
    },
    console.disable ? { write: () => {} } : stderr,
  )
}
