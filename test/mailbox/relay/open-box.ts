/** What most tests of the relay begin with: a relay with a client, a box, and both its ends. */
import type { ClientHttp2Session } from 'node:http2'
import type { TestContext } from 'node:test'
import type { RelayOptions } from '../../../mailbox/relay/plugin.ts'
import {
  connectGrpc,
  createBox,
  freshId,
  GrpcCallClient,
  grpcReader,
  startBothFaces,
  startRelay,
  type TestRelay,
} from './harness.ts'

type BothFaces = Awaited<ReturnType<typeof startBothFaces>>

interface Opened<Relay> {
  readonly relay: Relay
  /** A gRPC client of it. */
  readonly session: ClientHttp2Session
}

function endWith(
  t: TestContext,
  session: ClientHttp2Session,
  relay: { close(): Promise<void> },
): void {
  t.after(async () => {
    session.destroy()
    await relay.close()
  })
}

/** A relay with all its faces; it and its client end with the test. */
export async function openBothFaces(
  t: TestContext,
  options?: RelayOptions,
): Promise<Opened<BothFaces>> {
  const relay = await startBothFaces(options)
  const session = connectGrpc(relay.h2)
  endWith(t, session, relay)
  return { relay, session }
}

/** A relay on HTTP/2 only; it and its client end with the test. */
export async function openGrpcFace(
  t: TestContext,
  options?: RelayOptions,
): Promise<Opened<TestRelay>> {
  const relay = await startRelay('http2', options)
  const session = connectGrpc(relay.port)
  endWith(t, session, relay)
  return { relay, session }
}

/** Makes a box; its id. */
export async function newBox(session: ClientHttp2Session): Promise<Buffer> {
  const id = freshId()
  await createBox(session, id)
  return id
}

/** A new box with a reader, which holds its end, and a writer, which has said nothing yet. */
export async function openBox(session: ClientHttp2Session): Promise<{
  readonly id: Buffer
  readonly reader: GrpcCallClient
  readonly writer: GrpcCallClient
}> {
  const id = await newBox(session)
  const reader = await grpcReader(session, id)
  const writer = new GrpcCallClient(session, 'SendStream')
  return { id, reader, writer }
}
