/** A real connection of LNC through a relay, both ends here: paired by phrase, and something said and heard. */
import { randomBytes } from 'node:crypto'
import type { handleUnaryCall, ServiceDefinition } from '@grpc/grpc-js'
import type { Clock } from '../base/clock.ts'
import { PinholeError } from '../base/errors.ts'
import { connect } from '../../mailbox/connect/node.ts'
import { listen } from '../../mailbox/listen/listen.ts'
import { createNodeServer } from '../../mailbox/rpc/serve.ts'

/** More than what small buffers of a proxy hold. */
const SAID_BYTES = 65_536
const PATH = '/pinhole.Doctor/Echo'

const same = (bytes: Buffer) => bytes
const SERVICE = {
  echo: {
    path: PATH,
    requestStream: false,
    responseStream: false,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  },
} satisfies ServiceDefinition
const echo: handleUnaryCall<Buffer, Buffer> = ({ request }, done) => done(null, request)

/** Which end could not use the relay. */
export type EchoEnd = 'grpc' | 'websocket' | 'link'

/** How it went. */
export type Echo =
  | { readonly done: true; readonly pairedMs: number; readonly echoMs: number }
  | { readonly done: false; readonly end: EchoEnd; readonly reason: unknown }

/** How to try it. */
export interface EchoOptions {
  readonly clock: Clock
  readonly signal: AbortSignal
  /** How long each end may take, in milliseconds. */
  readonly endMs: number
}

/** Connects through the relay at `mailbox`: the node's end by gRPC as litd does, the client's by WebSocket. */
export async function echoThrough(
  mailbox: string,
  { clock, signal, endMs }: EchoOptions,
): Promise<Echo> {
  const common = { mailbox, insecureTls: true, signal, timeoutMs: endMs }
  const server = createNodeServer()
  server.addService(SERVICE, { echo })
  const closing: (() => Promise<void>)[] = []
  const startedMs = clock.now()
  let end: EchoEnd = 'grpc'
  try {
    const node = await listen({ ...common, transport: 'grpc', authData: 'Macaroon: 00', server })
    closing.push(() => node.close())
    end = 'websocket'
    const { phrase } = node
    const client = await connect({ ...common, transport: 'websocket', phrase })
    closing.push(() => client.close())
    const pairedMs = clock.now() - startedMs
    end = 'link'
    const said = randomBytes(SAID_BYTES)
    const heard = await client.rpc.unary(PATH, said, { signal, timeoutMs: endMs })
    if (!said.equals(heard)) {
      throw new PinholeError('ERR_RELAY_REFUSED', 'what came back is not what was sent')
    }
    return { done: true, pairedMs, echoMs: clock.now() - startedMs - pairedMs }
  } catch (reason) {
    return { done: false, end, reason }
  } finally {
    for (const close of closing.reverse()) await close()
    server.forceShutdown()
  }
}
