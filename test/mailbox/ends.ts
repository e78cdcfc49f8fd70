import { setImmediate as turn } from 'node:timers/promises'

import type { ConnectOptions } from '../../mailbox/connect/connect.ts'
import { nodePlatform } from '../../mailbox/connect/node.ts'
import type { Platform, TransportName } from '../../mailbox/connect/platform.ts'
import type { StreamEvents } from '../../mailbox/transport/relay-client.ts'
import type { ListenOptions } from '../../mailbox/listen/listen.ts'
import type { ManualClock } from '../../src/base/clock.ts'
import { echoServer } from './rpc/echo-server.ts'
import { testRelay, type TestRelay } from './test-relay.ts'

/** Auth data that the tests' node sends. */
export const AUTH_DATA = 'Macaroon: 0201036c6e64'

/** A relay, an echo service, and what to close at the end of a test. */
export interface Ends {
  readonly relay: TestRelay
  /** Options of a client of the relay. */
  connecting(options?: Partial<ConnectOptions>): ConnectOptions
  /** Options of a node at the relay that serves the echo service. */
  listening(options?: Partial<ListenOptions>): ListenOptions
  /** Closes `thing` at the end. */
  use<T extends { close(): Promise<void> }>(thing: T): T
}

/** Gives each test its own relay; everything is closed when `t` ends. */
export async function setUpEnds(t: { after(fn: () => Promise<void>): void }): Promise<Ends> {
  const relay = await testRelay()
  const { server } = echoServer()
  const things: { close(): Promise<void> }[] = []
  t.after(async () => {
    for (const thing of things.reverse()) await thing.close()
    server.forceShutdown()
    await relay.kill()
  })
  const { mailbox, ca } = relay
  return {
    relay,
    connecting: (options) => ({ mailbox, ca, ...options }),
    listening: (options) => ({
      mailbox,
      ca,
      authData: AUTH_DATA,
      ...(options?.onConnection ? {} : { server }),
      ...options,
    }),
    use: (thing) => {
      things.push(thing)
      return thing
    },
  }
}

/** Node's platform whose process can die: from `die` on it sends nothing and hears nothing, not even errors. */
export function mortalPlatform(): { platform: Platform; die(): void } {
  let alive = true
  const never = new Promise<undefined>(() => {})
  const guard = (events: StreamEvents): StreamEvents => ({
    opened: () => alive && events.opened(),
    confirmed: () => alive && events.confirmed(),
    message: (bytes) => alive && events.message(bytes),
    end: (failure) => alive && events.end(failure),
  })
  const relay: Platform['relay'] = (address, options) => {
    const client = nodePlatform.relay(address, options)
    return {
      receive: (id, events) => client.receive(id, guard(events)),
      send: (id, events) => {
        const stream = client.send(id, guard(events))
        return { ...stream, write: async (message) => (alive ? stream.write(message) : undefined) }
      },
      createBox: (id) => (alive ? client.createBox(id) : never),
      deleteBox: (id) => (alive ? client.deleteBox(id) : never),
      close: () => client.close(),
    }
  }
  return { platform: { ...nodePlatform, relay }, die: () => (alive = false) }
}

/** Every pair of ways to the relay: the client's, the node's. */
export const TRANSPORTS: readonly (readonly [TransportName, TransportName])[] = [
  ['websocket', 'grpc'],
  ['grpc', 'grpc'],
  ['websocket', 'websocket'],
  ['grpc', 'websocket'],
]

/** Resolves once `holds` does; the network's own events are what is waited for. */
export async function until(holds: () => boolean, limitMs = 10_000): Promise<void> {
  const end = performance.now() + limitMs
  while (!holds()) {
    if (performance.now() > end) throw new Error(`still not so after ${limitMs} ms: ${holds}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** What `promise` rejects with, or nothing. */
export const refusal = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )

/** Lets time run twenty times as fast until `promise` is settled; returns how much of it passed. */
export async function fastForward(clock: ManualClock, promise: Promise<unknown>): Promise<number> {
  const start = clock.now()
  let settled = false
  const settle = () => (settled = true)
  promise.then(settle, settle)
  while (!settled) {
    await new Promise((resolve) => setTimeout(resolve, 1))
    await turn()
    clock.advance(20)
  }
  return clock.now() - start
}
