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

/** What the client does, kept until the server has accepted it. */
export class ReplayedCall {
  readonly #maxBytes: number
  readonly #serialize: (message: unknown) => Uint8Array
  /** `undefined` when there is no going back: the call is accepted, or more was sent than is kept. */
  #messages: Outgoing[] | undefined = []
  #bytes = 0
  #reads = 0
  #halfClosed = false
  #isOverrun = false
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
    const outgoing: Outgoing = [{ ...context, ...onceOnly(context.callback) }, message]
    if (this.#messages) this.#keep(this.#messages, outgoing)
    this.#current?.sendMessageWithContext(...outgoing)
  }

  halfClose(): void {
    this.#halfClosed = true
    this.#current?.halfClose()
  }

  startRead(): void {
    this.#reads++
    this.#current?.startRead()
  }

  /** The server takes the call: nothing of it will be needed again. */
  accept(): void {
    this.#messages = undefined
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
    for (let n = 0; n < this.#reads; n++) call.startRead()
    for (const outgoing of this.#messages ?? []) call.sendMessageWithContext(...outgoing)
    if (this.#halfClosed) call.halfClose()
  }

  #keep(messages: Outgoing[], outgoing: Outgoing): void {
    this.#bytes += this.#sizeOf(outgoing[1])
    // What has not been sent at all yet is not to be lost; its sender waits for each message.
    if (this.#bytes <= this.#maxBytes || !this.#current) messages.push(outgoing)
    else {
      this.#isOverrun = true
      this.#messages = undefined
    }
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
      if (!isCalled) callback(error)
      isCalled = true
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
  let isThrough = false
  const { promise: attempt, resolve } = settleable<Attempt<() => void>>()
  const flush = () => {
    if (held) listener.onReceiveMetadata(held)
    held = undefined
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
