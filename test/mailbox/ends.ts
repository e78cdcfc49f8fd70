import type { LncCrypto } from '../../mailbox/crypto/crypto.ts'
import { listenGbn } from '../../mailbox/gbn/listen.ts'
import { messageLink } from '../../mailbox/message.ts'
import { respond } from '../../mailbox/noise/handshake.ts'
import { memoryStore, type PairingStore } from '../../mailbox/pairing/pairing.ts'
import { generatePhrase, parsePhrase } from '../../mailbox/phrase.ts'
import { pairingStreamIds } from '../../mailbox/stream-id.ts'
import { stretch } from '../../mailbox/stretch.ts'
import { parseMailbox } from '../../mailbox/transport/address.ts'
import { openMailbox } from '../../mailbox/transport/mailbox-link.ts'
import { utf8 } from '../../src/base/bytes.ts'
import { connectOn, type ConnectOptions } from '../../mailbox/connect/connect.ts'
import { nodePlatform } from '../../mailbox/connect/node.ts'
import type { Platform, TransportName } from '../../mailbox/connect/platform.ts'
import type { RelayStream, StreamEvents } from '../../mailbox/transport/relay-client.ts'
import { listenOn, type ListenOptions } from '../../mailbox/listen/listen.ts'
import { ManualClock, systemClock } from '../../src/base/clock.ts'
import { echoServer } from './rpc/echo-server.ts'
import { testRelay, type Speech, type TestRelay } from './test-relay.ts'

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
export async function setUpEnds(
  t: { after(fn: () => Promise<void>): void },
  speech?: Speech,
): Promise<Ends> {
  const relay = await testRelay(speech)
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

/** Node's cryptography but for the cost of scrypt: both ends must have it. Pairs 250 ms sooner. */
const fastCrypto: LncCrypto = {
  ...nodePlatform.crypto,
  scrypt: (password, salt, cost) => nodePlatform.crypto.scrypt(password, salt, { ...cost, N: 16 }),
}

/** A process that can die. */
export interface Mortal {
  readonly platform: Platform
  readonly alive: boolean
  /** What it has done so far. */
  readonly steps: readonly string[]
  /** Counts a step; false when it dies of it or is dead already: then it must not be done. */
  step(name: string): boolean
  die(): void
}

/** Node's platform; from its death on it sends nothing and hears nothing, not even errors. */
export function mortalPlatform(fatalStep = Infinity): Mortal {
  let alive = true
  const steps: string[] = []
  const step = (name: string): boolean => {
    if (alive && steps.length >= fatalStep) alive = false
    if (alive) steps.push(name)
    return alive
  }
  const inert = { write: async () => {}, close: async () => {} }
  /** A stream that comes up after the death is cut like those that stood. */
  const guard = (events: StreamEvents, stream: () => RelayStream): StreamEvents => ({
    opened: () => (alive ? events.opened() : void stream().close()),
    confirmed: () => alive && events.confirmed(),
    message: (bytes) => step(`receive-${bytes[0] ?? 0}`) && events.message(bytes),
    end: (failure) => alive && events.end(failure),
  })
  const relay: Platform['relay'] = (address, options) => {
    const client = nodePlatform.relay(address, options)
    return {
      receive: (id, events) => {
        if (!alive) return inert
        const stream = client.receive(
          id,
          guard(events, () => stream),
        )
        return stream
      },
      send: (id, events) => {
        if (!alive) return inert
        const stream = client.send(
          id,
          guard(events, () => stream),
        )
        return {
          ...stream,
          write: async (bytes) => {
            if (step(`send-${bytes[0] ?? 0}`)) await stream.write(bytes)
          },
        }
      },
      createBox: async (id) => (step('create') ? client.createBox(id) : undefined),
      deleteBox: async (id) => (step('delete') ? client.deleteBox(id) : undefined),
      close: () => client.close(),
    }
  }
  return {
    platform: { ...nodePlatform, crypto: fastCrypto, relay },
    get alive() {
      return alive
    },
    steps,
    step,
    die: () => (alive = false),
  }
}

/** A node that a client has paired with and that then died: its boxes are still there. */
export async function deadNode(ends: Ends): Promise<{ store: PairingStore }> {
  const mortal = mortalPlatform()
  const listener = ends.use(await listenOn(mortal.platform)(ends.listening()))
  const store = memoryStore()
  const first = await connectOn(mortalPlatform().platform)(
    ends.connecting({ phrase: listener.phrase, store }),
  )
  await first.close()
  await until(() => listener.state.name === 'listening')
  mortal.die()
  return { store }
}

/** A node of before handshake version 2: it keeps no keys and is met by its phrase each time. */
export async function oldNode(ends: Ends): Promise<{ phrase: string }> {
  const { crypto } = nodePlatform
  const phrase = generatePhrase((length) => crypto.randomBytes(length))
  const entropy = parsePhrase(phrase)
  const { serverToClient: sendId, clientToServer: receiveId } = pairingStreamIds(entropy, crypto)
  const options = { transport: 'grpc', insecureTls: true, clock: systemClock } as const
  const relay = nodePlatform.relay(parseMailbox(ends.relay.mailbox), options)
  const mailbox = openMailbox(relay, { sendId, receiveId }, { owner: true })
  const listener = listenGbn(mailbox)
  ends.use({ close: () => listener.close().then(() => relay.close()) })
  const handshake = {
    crypto,
    clock: systemClock,
    static: crypto.generatePrivateKey(),
    stretched: await stretch(entropy, crypto),
    maxVersion: 1,
    authData: utf8(AUTH_DATA),
  } as const
  const serve = async (): Promise<void> => {
    for (;;) {
      const gbn = await listener.accept()
      const session = await respond(messageLink(gbn), handshake).catch(() => undefined)
      await session?.link.receive()
      await gbn.close()
    }
  }
  serve().catch(() => {})
  await until(() => mailbox.status.name === 'open')
  return { phrase }
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
    if (performance.now() > end)
      throw new Error(`still not so after ${limitMs} ms: ${String(holds)}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** What `promise` rejects with, or nothing. */
export const refusal = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )

/**
 * Lets `clock` run `rate` times as fast as time does until `promise` is settled; returns how much of it
 * passed. The relay's own time is not the clock's: where that counts, the rate must be 1.
 */
export async function fastForward(
  clock: ManualClock,
  promise: Promise<unknown>,
  rate = 20,
): Promise<number> {
  const start = clock.now()
  let settled = false
  const settle = () => (settled = true)
  promise.then(settle, settle)
  let last = performance.now()
  while (!settled) {
    await new Promise((resolve) => setTimeout(resolve, 1))
    const now = performance.now()
    clock.advance(Math.min(20, (now - last) * rate))
    last = now
  }
  return clock.now() - start
}

/** How long it is until `promise` is settled, in milliseconds; of a halt of the whole process little counts. */
export const lasting = (promise: Promise<unknown>): Promise<number> =>
  fastForward(new ManualClock(), promise, 1)
