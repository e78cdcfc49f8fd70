/**
 * The admin API as a program calls it: one method for each operation of the contract. Runs in Node and in a browser;
 * only a certificate of the hub's own (`ca`) needs Node.
 */
import { BYTES, CERTIFICATES, checkKinds, FUNCTION, SIGNAL, SPAN_MS } from '../base/kinds.ts'
import { readEvents } from './client/events.ts'
import { hubFailure, refusal, wrongAnswer } from './client/failure.ts'
import { httpRequest } from './client/request.ts'
import { readTexts } from './client/texts.ts'
import { pinnedFetch } from './client/trust.ts'
import {
  type HubEvent,
  type OperationName,
  operations,
  type RequestOf,
  type ResponseOf,
} from './contract.ts'

/** How to reach a hub. */
export interface AdminClientOptions {
  /** Certificates (PEM) to trust in place of the system's, such as the hub's `tls.cert`. Of Node only. */
  readonly ca?: string | undefined
  /** What sends the requests; the platform's own by default. */
  readonly fetch?: typeof fetch | undefined
  /** How long an answer may take, in milliseconds (30,000; `Infinity`: for ever); events are not bound by it once they flow. */
  readonly timeoutMs?: number | undefined
}

/** How to make one call. */
export interface CallOptions {
  /** Ends the call; it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /** In place of the client's. */
  readonly timeoutMs?: number | undefined
}

// Operations without a required field may be called without a request.
type Arguments<Name extends OperationName> =
  Record<never, never> extends RequestOf<Name>
    ? [request?: RequestOf<Name>, options?: CallOptions]
    : [request: RequestOf<Name>, options?: CallOptions]

/** One method for each operation. They reject with a `PinholeError` of the hub's own or `ERR_HUB_*`, `ERR_ADMIN_*`. */
export type AdminClient = {
  readonly [Name in Exclude<OperationName, 'streamEvents' | 'exportTransactions'>]: (
    ...call: Arguments<Name>
  ) => Promise<ResponseOf<Name>>
} & {
  /** What happens from now on, until the loop is left. */
  readonly streamEvents: (...call: Arguments<'streamEvents'>) => AsyncIterable<HubEvent>
  /** The CSV, a part at a time; `timeoutMs` is how long each part may take. */
  readonly exportTransactions: (...call: Arguments<'exportTransactions'>) => AsyncIterable<string>
}

const DEFAULT_TIMEOUT_MS = 30_000
const KINDS = { ca: CERTIFICATES, fetch: FUNCTION, timeoutMs: SPAN_MS } as const
const CALL_KINDS = { signal: SIGNAL, timeoutMs: SPAN_MS } as const

/**
 * A client of the hub at `url`, such as `https://localhost:8081`. `macaroon` is hex, or bytes as in `admin.macaroon`;
 * without one only `getHealth` is answered. Nothing is sent before the first call.
 *
 * @throws TypeError when `url` is no http or https address, `macaroon` no hex, or an option of another kind
 */
export function createAdminClient(
  url: string | URL,
  macaroon?: string | Uint8Array,
  options: AdminClientOptions = {},
): AdminClient {
  checkKinds(options, KINDS)
  const connection: Connection = {
    base: baseOf(url),
    macaroon: hexOf(macaroon),
    fetch: options.fetch ?? (options.ca === undefined ? fetch : pinnedFetch(options.ca)),
    timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
  }
  const methods = Object.keys(operations).map((name) => {
    const operation = name as OperationName
    const method = (request: object = {}, call: CallOptions = {}) => {
      if (operation === 'streamEvents') return events(connection, request, call)
      if (operation === 'exportTransactions') return texts(connection, operation, request, call)
      return answer(connection, operation, request, call)
    }
    return [name, method]
  })
  return Object.freeze(Object.fromEntries(methods)) as AdminClient
}

interface Connection {
  readonly base: string
  readonly macaroon: string | undefined
  readonly fetch: typeof fetch
  readonly timeoutMs: number
}

function baseOf(url: string | URL): string {
  const { protocol, origin } = new URL(url)
  if (protocol !== 'http:' && protocol !== 'https:') {
    throw new TypeError(`a hub is at an http or https address, not ${protocol}`)
  }
  return origin
}

function hexOf(macaroon: string | Uint8Array | undefined): string | undefined {
  if (macaroon === undefined) return undefined
  if (typeof macaroon !== 'string') {
    checkKinds({ macaroon }, { macaroon: BYTES })
    return Array.from(macaroon, (byte) => byte.toString(16).padStart(2, '0')).join('')
  }
  if (!/^([0-9a-f]{2})+$/i.test(macaroon)) throw new TypeError('a macaroon is hex, or bytes')
  return macaroon
}

/** What bounds a call. Throws a `TypeError` for arguments of another kind. */
function limits(connection: Connection, request: object, options: CallOptions) {
  checkKinds(request, {})
  checkKinds(options, CALL_KINDS)
  const { signal, timeoutMs = connection.timeoutMs } = options
  return { signal, timeoutMs }
}

/** What a timer can wait, 24 days: told to wait longer, it fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1

const timerMs = (timeoutMs: number): number => Math.min(Math.ceil(timeoutMs), MAX_TIMER_MS)

async function answer(
  connection: Connection,
  name: OperationName,
  request: object,
  options: CallOptions,
): Promise<unknown> {
  const { signal, timeoutMs } = limits(connection, request, options)
  const timeout = AbortSignal.timeout(timerMs(timeoutMs))
  const either = signal ? AbortSignal.any([signal, timeout]) : timeout
  try {
    const response = await send(connection, name, request, either)
    const text = await response.text()
    return checked(connection, name, text)
  } catch (reason) {
    throw hubFailure(reason, { base: connection.base, signal, timeout, timeoutMs })
  }
}

async function* events(
  connection: Connection,
  request: object,
  options: CallOptions,
): AsyncGenerator<HubEvent> {
  const { signal, timeoutMs } = limits(connection, request, options)
  // Only the beginning is bound in time.
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(), timerMs(timeoutMs))
  const either = signal ? AbortSignal.any([signal, late.signal]) : late.signal
  try {
    const response = await send(connection, 'streamEvents', request, either)
    clearTimeout(timer)
    yield* readEvents(response, connection.base)
  } catch (reason) {
    const { base } = connection
    throw hubFailure(reason, { base, signal, timeout: late.signal, timeoutMs })
  } finally {
    clearTimeout(timer)
  }
}

async function* texts(
  connection: Connection,
  name: OperationName,
  request: object,
  options: CallOptions,
): AsyncGenerator<string, void, undefined> {
  const { signal, timeoutMs } = limits(connection, request, options)
  const { base } = connection
  const late = new AbortController()
  let timer: ReturnType<typeof setTimeout> | undefined
  const waits = (waiting: boolean) => {
    clearTimeout(timer)
    if (waiting) timer = setTimeout(() => late.abort(), timerMs(timeoutMs))
  }
  const either = signal ? AbortSignal.any([signal, late.signal]) : late.signal
  try {
    waits(true)
    const response = await send(connection, name, request, either)
    yield* readTexts(response, base, waits)
  } catch (reason) {
    throw hubFailure(reason, { base, signal, timeout: late.signal, timeoutMs })
  } finally {
    waits(false)
  }
}

async function send(
  { base, macaroon, fetch }: Connection,
  name: OperationName,
  request: object,
  signal: AbortSignal,
): Promise<Response> {
  const { path, ...init } = httpRequest(name, request, macaroon)
  // A redirect would take the macaroon elsewhere.
  const response = await fetch(base + path, { ...init, redirect: 'manual', signal })
  if (response.ok) return response
  throw refusal(response.status, await response.text(), base)
}

function checked({ base }: Connection, name: OperationName, text: string): unknown {
  const { response, answer: kind = 'json' } = operations[name]
  const value = kind === 'json' ? parsed(text) : text
  const read = response.safeParse(value)
  if (read.success) return read.data
  const [issue] = read.error.issues
  const where = issue?.path.join('.') ?? ''
  throw wrongAnswer(base, `${where === '' ? name : where}: ${issue?.message ?? 'unreadable'}`)
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
