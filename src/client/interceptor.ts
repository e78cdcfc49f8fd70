/** A grpc-js interceptor that pays: the same as `payingFetch`, for unary and streaming calls. */
import {
  InterceptingCall,
  type Interceptor,
  type InterceptorOptions,
  type Metadata,
} from '@grpc/grpc-js'
import { checkKinds, TEXT } from '../base/kinds.ts'
import type { Buyer } from './buyer.ts'
import { exchange } from './exchange.ts'
import { buyerOf, MAX_REPLAY_BYTES, type PayingOptions } from './fetch.ts'
import { type Call, errorStatus, type Listener, ReplayedCall, watch } from './grpc-call.ts'

/** What `payingInterceptor` is made of. */
export interface PayingInterceptorOptions extends PayingOptions {
  /** What the server is called in the store, e.g. its `host:port`. An interceptor does not see where calls go. */
  readonly origin: string
}

/**
 * An interceptor for the clients of one server. A call that ends with `payment required` is paid for and made
 * again, with what was sent before, up to `maxReplayBytes`. Its deadline goes on meanwhile. When that fails the
 * call ends with the gRPC code of the error; `pinhole-error` in its metadata is the error's code.
 */
export function payingInterceptor(options: PayingInterceptorOptions): Interceptor {
  const buyer = buyerOf(options)
  // Without a name of its own a server would be shown what others have sold.
  checkKinds(options, { origin: TEXT }, ['origin'])
  const { origin, maxReplayBytes = MAX_REPLAY_BYTES } = options
  return (call, nextCall) => new PayingCall(buyer, { origin, maxReplayBytes, call, nextCall })
}

interface CallSetup {
  readonly origin: string
  readonly maxReplayBytes: number
  readonly call: InterceptorOptions
  readonly nextCall: (options: InterceptorOptions) => Call
}

type Outgoing = Parameters<InterceptingCall['sendMessageWithContext']>

class PayingCall extends InterceptingCall {
  readonly #buyer: Buyer
  readonly #setup: CallSetup
  readonly #sent: ReplayedCall
  #first: Call | undefined
  #listener: Listener | undefined
  #isEnded = false

  constructor(buyer: Buyer, setup: CallSetup) {
    const first = setup.nextCall(setup.call)
    super(first)
    this.#buyer = buyer
    this.#setup = setup
    this.#first = first
    const { requestSerialize } = setup.call.method_definition
    this.#sent = new ReplayedCall(setup.maxReplayBytes, requestSerialize)
  }

  override start(metadata: Metadata, listener: Partial<Listener> = {}): void {
    const end = (status: Parameters<Listener['onReceiveStatus']>[0]) => {
      if (this.#isEnded) return
      this.#isEnded = true
      listener.onReceiveStatus?.(status)
    }
    this.#listener = {
      onReceiveMetadata: (received) => listener.onReceiveMetadata?.(received),
      onReceiveMessage: (message: unknown) => listener.onReceiveMessage?.(message),
      onReceiveStatus: end,
    }
    const { origin, call } = this.#setup
    const target = { origin, path: call.method_definition.path }
    exchange(this.#buyer, target, (authorization) => this.#attempt(metadata, authorization)).then(
      (pass) => pass(),
      (reason: unknown) => end(errorStatus(reason)),
    )
  }

  override sendMessageWithContext(...message: Outgoing): void {
    this.#sent.send(message)
  }

  override sendMessage(message: unknown): void {
    this.#sent.send([{}, message])
  }

  override halfClose(): void {
    this.#sent.halfClose()
  }

  override startRead(): void {
    this.#sent.startRead()
  }

  override cancelWithStatus(code: number, details: string): void {
    const { current } = this.#sent
    if (current) current.cancelWithStatus(code, details)
    else this.#listener?.onReceiveStatus({ ...errorStatus(undefined), code, details })
  }

  override getPeer(): string {
    return this.#sent.current?.getPeer() ?? 'unknown'
  }

  override getAuthContext(): ReturnType<InterceptingCall['getAuthContext']> {
    return this.#sent.current?.getAuthContext() ?? null
  }

  /** Makes the call once. What it resolves with hands back what was held while it was not clear what it means. */
  async #attempt(metadata: Metadata, authorization: string | undefined) {
    const { call, nextCall } = this.#setup
    const listener = this.#listener
    if (this.#isEnded || !listener) return { response: () => {}, unpaid: undefined }
    const made = this.#first ?? nextCall(call)
    this.#first = undefined
    const shown = metadata.clone()
    if (authorization !== undefined) shown.set('authorization', authorization)
    const outcome = watch(listener, {
      through: () => this.#sent.accept(),
      unpaid: () => this.#sent.pause(),
    })
    made.start(shown, outcome.listener)
    this.#sent.replay(made)
    const checkRepeatable = () => this.#sent.check()
    return { ...(await outcome.attempt), checkRepeatable }
  }
}
