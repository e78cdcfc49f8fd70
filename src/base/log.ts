/** What Pinhole's parts write their log to. `logger.ts` makes one on pino; a library user may pass any. */
export interface Log {
  debug(fields: LogFields, message: string): void
  info(fields: LogFields, message: string): void
  warn(fields: LogFields, message: string): void
  error(fields: LogFields, message: string): void
  /** The same log with `fields` on every line. */
  child(fields: LogFields): Log
}

/** Structured fields of one line. Secrets never belong here; `redact` takes out those that slip in. */
export type LogFields = Readonly<Record<string, unknown>>

/** A log that drops everything. */
export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLog,
}

/** A log that writes each line to two. */
export function bothLogs(a: Log, b: Log): Log {
  const at =
    (level: 'debug' | 'info' | 'warn' | 'error') => (fields: LogFields, message: string) => {
      a[level](fields, message)
      b[level](fields, message)
    }
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => bothLogs(a.child(fields), b.child(fields)),
  }
}

/** Field names whose values never reach a log, whatever they hold. */
export const SECRET_FIELDS: ReadonlySet<string> = new Set([
  'authorization',
  'payment-authorization',
  'cookie',
  'set-cookie',
  'macaroon',
  'grpc-metadata-macaroon',
  'preimage',
  'phrase',
  'passphrase',
  'pairingphrase',
  'entropy',
  'authdata',
  'privatekey',
  'localkey',
  'statickey',
  'secret',
  'password',
  'rootkey',
  'token',
])

const REDACTED = '[redacted]'
const MAX_DEPTH = 6

/** `value` with every field named in `SECRET_FIELDS` replaced, at any depth; the argument is left alone. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) {
    return value instanceof Uint8Array ? `[${value.length} bytes]` : value
  }
  if (depth >= MAX_DEPTH) return '[deep]'
  if (value instanceof Error) return redactError(value, depth)
  if (Array.isArray(value)) return value.map((item) => redact(item, depth + 1))
  const out: Record<string, unknown> = {}
  for (const [key, field] of Object.entries(value)) {
    out[key] = isSecret(key) ? REDACTED : redact(field, depth + 1)
  }
  return out
}

function isSecret(key: string): boolean {
  const name = key.toLowerCase()
  return SECRET_FIELDS.has(name) || SECRET_FIELDS.has(name.replaceAll(/[-_]/g, ''))
}

function redactError(error: Error, depth: number): unknown {
  const code = 'code' in error ? { code: error.code } : {}
  const cause = error.cause === undefined ? {} : { cause: redact(error.cause, depth + 1) }
  return { name: error.name, message: error.message, ...code, ...cause }
}
