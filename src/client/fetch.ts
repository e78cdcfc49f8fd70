/** `fetch` that pays: L402 challenges are answered within a limit, bought tokens are shown again. */
import { type Clock, systemClock } from '../base/clock.ts'
import { checkKinds, FUNCTION, withMethods } from '../base/kinds.ts'
import { bufferedBody, fixedBody, type ReplayableBody } from './body.ts'
import { type BoughtTokens, memoryTokens } from './bought-token.ts'
import { Buyer } from './buyer.ts'
import { type Attempt, exchange } from './exchange.ts'
import type { Wallet } from './wallet.ts'

/** How a paying client pays. */
export interface PayingOptions {
  readonly wallet: Wallet
  /** Most that one token may cost, in satoshis, routing included. */
  readonly maxSats: number
  /** Where tokens are kept; by default they are forgotten with the process. */
  readonly store?: BoughtTokens | undefined
  readonly clock?: Clock | undefined
  /** Most of a body (or of a call's messages) that is kept in memory to be sent again. Default 1 MiB. */
  readonly maxReplayBytes?: number | undefined
}

/** What `payingFetch` is made of. */
export interface PayingFetchOptions extends PayingOptions {
  /** The `fetch` to send with; by default the runtime's. */
  readonly fetch?: typeof globalThis.fetch | undefined
}

/** Default of `maxReplayBytes`. */
export const MAX_REPLAY_BYTES = 1_048_576
const PAYMENT_REQUIRED = 402

type FetchInput = Parameters<typeof globalThis.fetch>[0]

const KINDS = {
  wallet: withMethods(['pay'], 'as nodeWallet(node) has'),
  store: withMethods(['list', 'put', 'remove'], 'as tokenFiles(folder) has'),
  maxReplayBytes: {
    what: 'a number of bytes',
    holds: (value: unknown) => typeof value === 'number' && value >= 0,
  },
  fetch: FUNCTION,
} as const

/** What buys for a client with these options. Throws a `TypeError` for a wallet or a limit that is none. */
export function buyerOf(options: PayingOptions): Buyer {
  checkKinds(options, KINDS, ['wallet'])
  const { wallet, maxSats, store, clock = systemClock } = options
  if (!Number.isFinite(maxSats) || maxSats < 0) {
    throw new TypeError(`maxSats is a number of satoshis, not ${maxSats}`)
  }
  const maxMsat = BigInt(Math.floor(maxSats * 1_000))
  return new Buyer({ wallet, tokens: store ?? memoryTokens(), maxMsat, clock })
}

/**
 * A `fetch` that pays for what costs at most `maxSats`. A 402 is returned as it is when it offers no L402, when
 * the request has an `Authorization` of its own, and when a redirection led to it from another origin or from a
 * request that is not GET or HEAD.
 *
 * It rejects as `fetch` does, and with `ERR_L402_CHALLENGE`, `ERR_PAYMENT_LIMIT`, `ERR_PAYMENT_FAILED`,
 * `ERR_PAYMENT_PENDING`, `ERR_PAYMENT_REFUSED`, `ERR_PAYMENT_REPLAY`, `ERR_PAYMENT_STORE` or what the wallet
 * throws. A request that is aborted while it is paid for leaves the payment going on: its token is kept.
 */
export function payingFetch(options: PayingFetchOptions): typeof globalThis.fetch {
  const buyer = buyerOf(options)
  const { maxReplayBytes = MAX_REPLAY_BYTES } = options
  return async (input, given) => {
    // As the platform's, which takes null for no init.
    const init = given ?? {}
    const send = options.fetch ?? globalThis.fetch
    const request = new SentRequest(input, init, await bodyOf(input, init, maxReplayBytes))
    if (request.headers.has('authorization')) return send(input, request.init(undefined))
    const { origin, pathname } = request.url
    const done = exchange(buyer, { origin, path: pathname }, (authorization) =>
      request.attempt(send, authorization),
    )
    return abortable(done, request.signal)
  }
}

/** A request that can be sent several times. */
class SentRequest {
  readonly headers: Headers
  readonly #input: FetchInput
  readonly #init: RequestInit
  readonly #body: ReplayableBody

  constructor(input: FetchInput, init: RequestInit, body: ReplayableBody) {
    this.#input = input
    this.#init = init
    this.#body = body
    this.headers = new Headers(init.headers ?? (isRequest(input) ? input.headers : undefined))
  }

  get url(): URL {
    return new URL(isRequest(this.#input) ? this.#input.url : this.#input)
  }

  get signal(): AbortSignal | undefined {
    return this.#init.signal ?? (isRequest(this.#input) ? this.#input.signal : undefined)
  }

  init(authorization: string | undefined): RequestInit {
    const headers = new Headers(this.headers)
    if (authorization !== undefined) headers.set('authorization', authorization)
    const body = this.#body.next()
    if (body === undefined) return { ...this.#init, headers }
    const duplex = body instanceof ReadableStream ? { duplex: 'half' as const } : {}
    return { ...this.#init, ...duplex, headers, body }
  }

  async attempt(
    send: typeof globalThis.fetch,
    authorization: string | undefined,
  ): Promise<Attempt<Response>> {
    const response = await send(this.#input, this.init(authorization))
    if (response.status !== PAYMENT_REQUIRED || !this.#canBeRepeated(response)) {
      return { response, unpaid: undefined }
    }
    const challenge = response.headers.get('www-authenticate')
    const discard = async () => response.body?.cancel()
    const checkRepeatable = () => {
      // Nothing is paid for whom the answer does not reach any more.
      this.signal?.throwIfAborted()
      this.#body.check()
    }
    return { response, unpaid: challenge === null ? [] : [challenge], checkRepeatable, discard }
  }

  /** Whether the same request leads to the same place, and the token with it, without doing anything twice. */
  #canBeRepeated({ redirected, url }: Response): boolean {
    if (!redirected) return true
    const method = this.#init.method ?? (isRequest(this.#input) ? this.#input.method : 'GET')
    return /^(GET|HEAD)$/i.test(method) && new URL(url).origin === this.url.origin
  }
}

const isRequest = (input: FetchInput): input is Request =>
  typeof input !== 'string' && !(input instanceof URL)

async function bodyOf(
  input: FetchInput,
  init: RequestInit,
  maxBytes: number,
): Promise<ReplayableBody> {
  const body = init.body ?? undefined
  if (body instanceof ReadableStream) return bufferedBody(body, maxBytes)
  if (body !== undefined) {
    const isStream = typeof body === 'object' && Symbol.asyncIterator in body
    return isStream ? bufferedBody(ReadableStream.from(body), maxBytes) : fixedBody(body)
  }
  if (isRequest(input) && input.body) return bufferedBody(input.body, maxBytes)
  return fixedBody(undefined)
}

/** `promise`, or the reason of `signal`, whichever comes first. */
async function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise
  let stop = () => {}
  const aborted = new Promise<never>((_, reject) => {
    const give = () => reject(signal.reason as Error)
    signal.addEventListener('abort', give)
    stop = () => signal.removeEventListener('abort', give)
    if (signal.aborted) give()
  })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    stop()
  }
}
