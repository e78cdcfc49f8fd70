/** The two directions of a gRPC call that may have to be made again. */
import { type InterceptingCall, Metadata } from '@grpc/grpc-js'
import { GrpcCode, PinholeError } from '../base/errors.ts'
import type { Attempt } from './exchange.ts'

/** Takes what comes from the server. */
export type Listener = Required<NonNullable<Parameters<InterceptingCall['start']>[1]>>

/** A call as interceptors see it. */
export type Call = ConstructorParameters<typeof InterceptingCall>[0]

type Status = Parameters<Listener['onReceiveStatus']>[0]
type Outgoing = Parameters<InterceptingCall['sendMessageWithContext']>

/** What the client does, kept until the server has accepted it. Messages go out one after the other. */
export class ReplayedCall {
  readonly #maxBytes: number
  readonly #serialize: (message: unknown) => Uint8Array
  /** Sent already; `undefined` when there is no going back: the call is accepted, or too much was sent. */
  #kept: Outgoing[] | undefined = []
  #keptBytes = 0
  #isOverrun = false
  #pending: Outgoing[] = []
  #isSending = false
  #reads = 0
  #halfClose: 'no' | 'wanted' | 'sent' = 'no'
  #current: Call | undefined

  constructor(maxBytes: number, serialize: (message: unknown) => Uint8Array) {
    this.#maxBytes = maxBytes
    this.#serialize = serialize
  }

  /** The call that is being made; `undefined` before the first and while it is paid for. */
  get current(): Call | undefined {
    return this.#current
  }

  send([context, message]: Outgoing): void {
    this.#pending.push([{ ...context, ...onceOnly(context.callback) }, message])
    this.#pump()
  }

  halfClose(): void {
    this.#halfClose = 'wanted'
    this.#pump()
  }

  startRead(): void {
    this.#reads++
    this.#current?.startRead()
  }

  /** The server takes the call: nothing of it will be needed again. */
  accept(): void {
    this.#kept = undefined
  }

  /** The call has ended and may be made again. */
  pause(): void {
    this.#current = undefined
  }

  /** Throws `ERR_PAYMENT_REPLAY` when what was done so far is not kept. */
  check(): void {
    if (!this.#isOverrun) return
    const text = `the server wants to be paid, but more than ${this.#maxBytes} bytes of the call were sent and are gone`
    throw new PinholeError('ERR_PAYMENT_REPLAY', text)
  }

  /** Does on `call` all that was done so far. */
  replay(call: Call): void {
    this.#current = call
    this.#pending = [...(this.#kept ?? []), ...this.#pending]
    this.#kept = []
    this.#keptBytes = 0
    this.#isSending = false
    if (this.#halfClose === 'sent') this.#halfClose = 'wanted'
    for (let n = 0; n < this.#reads; n++) call.startRead()
    this.#pump()
  }

  /** Sends what is next; an interceptor has room for one message at a time. */
  #pump(): void {
    const call = this.#current
    if (!call || this.#isSending) return
    const next = this.#pending.shift()
    if (next) {
      this.#isSending = true
      this.#keep(next)
      const [context] = next
      const message: unknown = next[1]
      const callback = (error?: Error | null) => {
        context.callback?.(error)
        if (this.#current !== call) return
        this.#isSending = false
        this.#pump()
      }
      call.sendMessageWithContext({ ...context, callback }, message)
    } else if (this.#halfClose === 'wanted') {
      this.#halfClose = 'sent'
      call.halfClose()
    }
  }

  #keep(outgoing: Outgoing): void {
    if (!this.#kept) return
    this.#keptBytes += this.#sizeOf(outgoing[1])
    if (this.#keptBytes <= this.#maxBytes) {
      this.#kept.push(outgoing)
      return
    }
    this.#isOverrun = true
    this.#kept = undefined
  }

  #sizeOf(message: unknown): number {
    try {
      return this.#serialize(message).length
    } catch {
      // The call itself will say so.
      return 0
    }
  }
}

/** A message that is sent again has been taken from its sender once. */
function onceOnly(callback: Outgoing[0]['callback']): Outgoing[0] {
  if (!callback) return {}
  let isCalled = false
  return {
    callback: (error) => {
      if (isCalled) return
      isCalled = true
      callback(error)
    },
  }
}

const UNPAID_CODES: ReadonlySet<number> = new Set([GrpcCode.internal, GrpcCode.unknown])
const CHALLENGE = 'www-authenticate'

/**
 * A listener that passes on to `listener` what comes, but for the end of a call that is not paid for: that
 * becomes an attempt with a challenge, whose `response` passes it on after all.
 */
export function watch(
  listener: Listener,
  on: { readonly through: () => void; readonly unpaid: () => void },
): { readonly listener: Listener; readonly attempt: Promise<Attempt<() => void>> } {
  let held: Metadata | undefined
  let isEmpty = false
  let isThrough = false
  const { promise: attempt, resolve } = settleable<Attempt<() => void>>()
  const flush = () => {
    if (held) listener.onReceiveMetadata(held)
    held = undefined
    if (isEmpty) listener.onReceiveMessage(null)
    isEmpty = false
  }
  const pass = () => {
    flush()
    if (isThrough) return
    isThrough = true
    on.through()
    resolve({ response: () => {}, unpaid: undefined })
  }
  const watching: Listener = {
    onReceiveMetadata(metadata) {
      // A proxy may send what it asks for in headers of their own, ahead of the status.
      held = metadata
      if (metadata.get(CHALLENGE).length === 0) pass()
    },
    onReceiveMessage(message: unknown) {
      // grpc-js: a unary call ends without a message.
      isEmpty = message === null
      if (isEmpty) return
      pass()
      listener.onReceiveMessage(message)
    },
    onReceiveStatus(status) {
      const unpaid = isThrough ? undefined : challengeOf(status, held)
      if (unpaid === undefined) {
        pass()
        listener.onReceiveStatus(status)
        return
      }
      on.unpaid()
      const response = () => {
        flush()
        listener.onReceiveStatus(status)
      }
      resolve({ response, unpaid })
    },
  }
  return { listener: watching, attempt }
}

function challengeOf(
  { code, details, metadata }: Status,
  held: Metadata | undefined,
): readonly string[] | undefined {
  if (!UNPAID_CODES.has(code) || !/payment required/i.test(details)) return undefined
  // grpc-js splits values at commas, which challenges hold.
  const values = [...metadata.get(CHALLENGE), ...(held?.get(CHALLENGE) ?? [])]
  return values.length === 0 ? [] : [values.join(', ')]
}

/** The status of a call that could not be paid for. */
export function errorStatus(reason: unknown): Status {
  const metadata = new Metadata()
  if (reason instanceof PinholeError) {
    metadata.set('pinhole-error', reason.code)
    return { code: reason.grpc, details: reason.message, metadata }
  }
  const details = reason instanceof Error ? reason.message : String(reason)
  return { code: GrpcCode.unknown, details, metadata }
}

function settleable<T>(): {
  readonly promise: Promise<T>
  readonly resolve: (value: T) => void
} {
  let resolve: (value: T) => void = () => {}
  const promise = new Promise<T>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}
