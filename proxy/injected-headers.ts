/** Reads `headers` of a service: what is sent to the upstream in place of the client's own. */
import { type CompileDeps, type Fail, type ServiceConfig, show } from './service-config.ts'

const NAME = /^[\w!#$%&'*+\-.^`|~]+$/
const VARIABLE = /\$\{([A-Za-z_]\w*)\}/g
// RFC 9110 §5.5: neither control characters nor line ends.
const BAD_VALUE = /[\x00-\x08\x0a-\x1f\x7f]/

/** Headers that say how a message is framed or how its connection goes on: those are ours to write. */
const OF_THE_CONNECTION = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

// No message shows a value: they are secrets as often as not.
function expand(value: string, key: string, env: CompileDeps['env'], fail: Fail): string {
  return value.replace(VARIABLE, (_, name: string) => {
    const found = env[name]
    if (found) return found
    return fail(
      key,
      `environment variable ${name} is not set or empty: set it, or remove $\{${name}}`,
    )
  })
}

/** Why a file cannot be read, without its name: that may have come from the environment. */
const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : 'it cannot be opened'

function fromFile(
  value: string,
  source: string,
  key: string,
  { readFile }: CompileDeps,
  fail: Fail,
): string {
  if (!value.startsWith('!file')) return value
  const [, encoding, path] = /^!file\+(hex|base64):([^:]+)$/.exec(value) ?? []
  if (encoding === undefined || path === undefined) {
    return fail(key, 'a value that begins with !file must be !file+hex:PATH or !file+base64:PATH')
  }
  let bytes: Uint8Array
  try {
    bytes = readFile(path)
  } catch (error) {
    return fail(key, `cannot read the file of ${show(source)}: ${codeOf(error)}`)
  }
  return Buffer.from(bytes).toString(encoding === 'hex' ? 'hex' : 'base64')
}

/**
 * Names in lower case with their values, a character for each byte of UTF-8. `${NAME}` is replaced from the
 * environment, a file is read once.
 */
export function readHeaders(
  config: ServiceConfig,
  deps: CompileDeps,
  fail: Fail,
): readonly (readonly [name: string, value: string])[] {
  const headers = new Map<string, string>()
  for (const [written, source] of Object.entries(config.headers)) {
    const key = `headers.${written}`
    const name = written.toLowerCase()
    if (!NAME.test(name)) return fail(key, 'the name must be one of an HTTP header')
    if (OF_THE_CONNECTION.has(name)) {
      return fail(key, 'this header belongs to the connection and cannot be set')
    }
    if (headers.has(name)) return fail(key, 'the same header is named twice, in different case')
    const expanded = expand(source, key, deps.env, fail)
    const value = fromFile(expanded, source, key, deps, fail).trim()
    if (BAD_VALUE.test(value))
      return fail(key, 'the value must have no line ends or control characters')
    headers.set(name, Buffer.from(value, 'utf8').toString('latin1'))
  }
  return Object.freeze([...headers].map((header) => Object.freeze(header)))
}
