/** The log on pino: levels by part as lnd writes them, secrets taken out of every line. */
import pino from 'pino'
import { type Log, type LogFields, redact } from './base/log.ts'
import { type Level, type Levels, parseLevels } from './config/log-levels.ts'

/** How to log. */
export interface LoggerOptions {
  /** `info`, or `info,RELAY=debug`: a level for all and levels for parts. */
  readonly debuglevel: string
  /** Lines for people instead of JSON. */
  readonly pretty?: boolean
  /** Colours in lines for people. */
  readonly colours?: boolean
  readonly timestamps?: boolean
}

/** Takes finished lines. */
export interface LineSink {
  write(line: string): void
}

/** pino's names of them. */
const PINO_LEVELS: Readonly<Record<Level, pino.LevelWithSilent>> = {
  trace: 'trace',
  debug: 'debug',
  info: 'info',
  warn: 'warn',
  error: 'error',
  critical: 'fatal',
  off: 'silent',
}

/** The configuration has checked it before. Throws `TypeError`. */
function readLevels(debuglevel: string): Levels {
  const levels = parseLevels(debuglevel)
  if (typeof levels === 'string') throw new TypeError(levels)
  return levels
}

/** A log that writes its lines to `sink`. A child with the field `part` has that part's level. */
export function createLogger(options: LoggerOptions, sink: LineSink): Log {
  const levels = readLevels(options.debuglevel)
  const target = options.pretty ? prettySink(sink, options.colours ?? false) : sink
  const timestamp = options.timestamps === false ? false : pino.stdTimeFunctions.isoTime
  const formatters = { level: (level: string) => ({ level }) }
  const level = PINO_LEVELS[levels.byPart.get('HUB') ?? levels.all]
  const settings = { level, base: null, timestamp, formatters }
  return wrap(pino(settings, target), levels)
}

function wrap(logger: pino.Logger, levels: Levels): Log {
  const write = (level: 'debug' | 'info' | 'warn' | 'error') => {
    return (fields: LogFields, message: string) => {
      if (logger.isLevelEnabled(level)) logger[level](redact(fields), message)
    }
  }
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child(fields) {
      const part = typeof fields['part'] === 'string' ? fields['part'].toUpperCase() : ''
      const level = PINO_LEVELS[levels.byPart.get(part) ?? levels.all]
      const clean = redact(fields) as Record<string, unknown>
      return wrap(logger.child(clean, part === '' ? {} : { level }), levels)
    },
  }
}

const COLOURS: Readonly<Record<string, string>> = { warn: '\u001b[33m', error: '\u001b[31m' }
const PLAIN = '\u001b[0m'

/** `06:19:12 info  relay: message key=value`, from pino's JSON. */
function prettySink(sink: LineSink, colours: boolean): LineSink {
  return {
    write(line) {
      const { time, level, part, msg, ...rest } = JSON.parse(line) as Record<string, unknown>
      const clock = typeof time === 'string' ? `${time.slice(11, 19)} ` : ''
      const fields = Object.entries(rest).map(([key, value]) => {
        return ` ${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`
      })
      const whose = typeof part === 'string' ? `${part}: ` : ''
      const text = `${clock}${String(level).padEnd(5)} ${whose}${String(msg)}${fields.join('')}`
      const colour = colours ? COLOURS[String(level)] : undefined
      sink.write(colour === undefined ? `${text}\n` : `${colour}${text}${PLAIN}\n`)
    },
  }
}
