/** The admin API as the console calls it: by the session's cookie, with the types of the contract. */
import operations from 'pinhole:operations'
import type {
  HubEvent,
  OperationName,
  RequestOf,
  ResponseOf,
  Scope,
} from '../../src/admin/contract.ts'

const API = '/api/admin'
const SESSION = '/_pinhole/session'
/** Says that this origin's own script asks; other sites cannot send it. */
const OWN = { 'x-pinhole-console': '1' }

/** What the hub refused, in its own words. */
export class ApiError extends Error {
  readonly status: number
  readonly code: string
  readonly advice: string

  constructor(status: number, message: string, code = '', advice = '') {
    super(message)
    this.status = status
    this.code = code
    this.advice = advice
  }
}

/** What a session opens. */
export interface Session {
  readonly scopes: readonly Scope[]
  readonly expires_at: string
}

type Listener = (reason?: Error) => void
let loggedOut: Listener = () => {}

/** Tells of a session that has ended, and why when nobody here ended it. */
export const onLoggedOut = (listener: Listener): void => void (loggedOut = listener)

/** Carries out an operation. Rejects with `ApiError`. */
export async function call<Name extends OperationName>(
  name: Name,
  request: RequestOf<Name>,
  signal?: AbortSignal,
): Promise<ResponseOf<Name>> {
  const { url, init } = httpRequest(name, request)
  const response = await send(url, { ...init, signal: signal ?? null })
  return (await response.json()) as ResponseOf<Name>
}

/** Where the answer to a reading operation is, for a link. */
export const linkTo = <Name extends OperationName>(name: Name, request: RequestOf<Name>): string =>
  httpRequest(name, request).url

/** What happens from now on, until `signal`. Rejects when the stream ends by itself. */
export async function listen(
  signal: AbortSignal,
  on: { readonly open: () => void; readonly event: (event: HubEvent) => void },
): Promise<void> {
  const { url } = httpRequest('streamEvents', {})
  const response = await send(url, { signal })
  on.open()
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  for (;;) {
    const read = await reader?.read()
    if (!read || read.done) throw new ApiError(0, 'the hub ended the stream of events')
    const blocks = (text + read.value).split('\n\n')
    text = blocks.pop() ?? ''
    for (const block of blocks) {
      if (block.startsWith('data:')) on.event(JSON.parse(block.slice(5)) as HubEvent)
    }
  }
}

/** The session that this browser has; `undefined` when it has to log in. Rejects with `ApiError`. */
export async function findSession(): Promise<Session | undefined> {
  const session = (await (await request(SESSION, {})).json()) as Session
  return session.expires_at === '' ? undefined : session
}

/** Logs in. Rejects with `ApiError`. */
export async function logIn(key: { code: string } | { macaroon: string }): Promise<Session> {
  const headers = { 'content-type': 'application/json' }
  const init = { method: 'POST', headers, body: JSON.stringify(key) }
  return (await (await request(SESSION, init)).json()) as Session
}

/** Ends the session. */
export async function logOut(): Promise<void> {
  await request(SESSION, { method: 'DELETE' })
  loggedOut()
}

function httpRequest(name: OperationName, values: object): { url: string; init: RequestInit } {
  const described = operations[name]
  if (!described) throw new TypeError(`the contract has no ${name}`)
  const [method, path] = described
  const rest = new Map(Object.entries(values).filter(([, value]) => value !== undefined))
  const filled = path.replace(/\{(\w+)\}/g, (_, parameter: string) => {
    const value: unknown = rest.get(parameter)
    rest.delete(parameter)
    return encodeURIComponent(String(value))
  })
  if (method === 'GET' || method === 'DELETE') {
    const query = new URLSearchParams([...rest].map(([key, value]) => [key, String(value)]))
    return { url: API + filled + (rest.size === 0 ? '' : `?${query}`), init: { method } }
  }
  const headers = { 'content-type': 'application/json' }
  const body = JSON.stringify(Object.fromEntries(rest))
  return { url: API + filled, init: { method, headers, body } }
}

const ENDED = 'The session has ended, or the hub was started anew. Log in again.'

async function send(url: string, init: RequestInit): Promise<Response> {
  try {
    return await request(url, init)
  } catch (reason) {
    if (reason instanceof ApiError && reason.status === 401) loggedOut(new Error(ENDED))
    throw reason
  }
}

async function request(url: string, init: RequestInit): Promise<Response> {
  const headers = new Headers(init.headers)
  for (const [name, value] of Object.entries(OWN)) headers.set(name, value)
  const response = await fetch(url, { ...init, headers }).catch((reason: unknown) => {
    if (init.signal?.aborted) throw reason
    throw new ApiError(0, 'The hub does not answer. Is it running?')
  })
  if (response.ok) return response
  throw await refusal(response)
}

async function refusal(response: Response): Promise<ApiError> {
  const body: unknown = await response.json().catch(() => undefined)
  const text = (name: string): string => {
    const value: unknown = typeof body === 'object' && body ? Reflect.get(body, name) : undefined
    return typeof value === 'string' ? value : ''
  }
  const message = text('message') || `The hub answered with status ${response.status}.`
  return new ApiError(response.status, message, text('error'), text('advice'))
}
