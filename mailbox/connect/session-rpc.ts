/** Calls over a session: each takes the channel that stands, or waits for the next one. */
import type { Clock } from '../../src/base/clock.ts'
import { PinholeError } from '../../src/base/errors.ts'
import type { Channel } from '../rpc/channel.ts'
import { isUnprocessed } from '../rpc/node-error.ts'
import { type CallOptions, checkDeadline, type Rpc } from '../rpc/rpc.ts'
import type { Session } from './session.ts'

/**
 * Calls that outlive connections. A call that no connection has taken yet waits for one, up to its deadline
 * or for ever; a call that was under way when its connection ended fails with that connection's error,
 * since the node may have acted on it. After an outage that the connection survives, calls just go on.
 */
export class SessionRpc implements Rpc {
  readonly #session: Session
  readonly #clock: Clock

  constructor(session: Session, clock: Clock) {
    this.#session = session
    this.#clock = clock
  }

  async unary(path: string, request: Uint8Array, options?: CallOptions): Promise<Uint8Array> {
    const deadline = this.#deadline(options)
    let failed: Channel | undefined
    for (;;) {
      // Without a turn between: a call that finds a connection is under way when this returns.
      const channel =
        this.#standing(failed) ?? (await this.#nextChannel(path, options, deadline, failed))
      try {
        return await channel.unary(path, request, this.#remaining(options, deadline))
      } catch (reason) {
        if (!isUnprocessed(reason)) throw reason
        failed = channel
      }
    }
  }

  stream(
    path: string,
    requests: Uint8Array | AsyncIterable<Uint8Array>,
    options?: CallOptions,
  ): AsyncIterable<Uint8Array> {
    const { channel } = this.#session
    if (channel) return channel.stream(path, requests, options)
    const deadline = this.#deadline(options)
    const left = new AbortController()
    const signal = options?.signal ? AbortSignal.any([options.signal, left.signal]) : left.signal
    const started = this.#nextChannel(path, { ...options, signal }, deadline).then((next) =>
      next.stream(path, requests, this.#remaining(options, deadline)),
    )
    started.catch(() => {})
    return onceStarted(started, () => left.abort())
  }

  #deadline({ timeoutMs }: CallOptions = {}): number {
    checkDeadline(timeoutMs)
    return timeoutMs === undefined ? Infinity : this.#clock.now() + timeoutMs
  }

  #remaining(options: CallOptions = {}, deadline: number): CallOptions {
    if (deadline === Infinity) return options
    return { ...options, timeoutMs: Math.max(1, Math.ceil(deadline - this.#clock.now())) }
  }

  /** The channel that stands, unless it is the `failed` one. */
  #standing(failed?: Channel): Channel | undefined {
    const { channel } = this.#session
    return channel === failed ? undefined : channel
  }

  #nextChannel(
    path: string,
    options: CallOptions = {},
    deadline: number,
    failed?: Channel,
  ): Promise<Channel> {
    const { signal } = options
    return new Promise((resolve, reject) => {
      let unsubscribe = () => {}
      let stopTimer = () => {}
      const settle = (action: () => void) => {
        unsubscribe()
        stopTimer()
        signal?.removeEventListener('abort', abort)
        action()
      }
      const abort = () => settle(() => reject(asError(signal?.reason)))
      const look = () => {
        const { state } = this.#session
        const channel = this.#standing(failed)
        if (channel) settle(() => resolve(channel))
        else if (state.name === 'closed') settle(() => reject(closedError(path, state.reason)))
      }
      if (signal?.aborted) return abort()
      signal?.addEventListener('abort', abort, { once: true })
      unsubscribe = this.#session.onState(look)
      if (deadline < Infinity) {
        const expire = () => settle(() => reject(this.#lateError(path)))
        stopTimer = this.#clock.after(deadline - this.#clock.now(), expire)
      }
      look()
    })
  }

  /** No connection before the deadline: what stands in its way says more than that it is late. */
  #lateError(path: string): PinholeError {
    const { state } = this.#session
    const reason = 'reason' in state ? state.reason : undefined
    const { code, message } = reason ?? {
      code: 'ERR_NODE_TIMEOUT' as const,
      message: 'no connection to the node yet',
    }
    return new PinholeError(code, `${path} did not start in time: ${message}`, { cause: reason })
  }
}

function closedError(path: string, reason: PinholeError | undefined): PinholeError {
  return (
    reason ?? new PinholeError('ERR_SESSION_CLOSED', `the session was closed, ${path} cannot start`)
  )
}

const asError = (reason: unknown): Error =>
  reason instanceof Error ? reason : new Error(String(reason))

/** The answers of a call that has yet to start; leaving the loop before that gives it up. */
function onceStarted(
  started: Promise<AsyncIterable<Uint8Array>>,
  giveUp: () => void,
): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      const answers = started.then((iterable) => iterable[Symbol.asyncIterator]())
      answers.catch(() => {})
      return {
        next: async () => (await answers).next(),
        return: async () => {
          giveUp()
          await answers.then((source) => source.return?.()).catch(() => {})
          return { done: true, value: undefined }
        },
      }
    },
  }
}
