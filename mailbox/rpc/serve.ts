/** The node's end in Node: a grpc-js server on a link, LNC §12. */
import type { Http2Server, ServerHttp2Session } from 'node:http2'
import * as grpc from '@grpc/grpc-js'
import {
  CONNECTION_WINDOW_BYTES,
  MAX_HEADER_LIST_BYTES,
  STREAM_WINDOW_BYTES,
} from '../../src/http2/limits.ts'
import type { Link } from '../link.ts'
import { byteStream } from './byte-stream.ts'

/** Largest request that is taken: what litd's LNC server takes (LNC §12). */
const MAX_REQUEST_BYTES = 4 * 1024 * 1024

/** Header fields of a request; each macaroon is one. */
const MAX_HEADER_PAIRS = 1000

/** One injector for each server: grpc-js keeps an HTTP/2 server behind each. */
const injectors = new WeakMap<grpc.Server, grpc.ConnectionInjector>()

/** A grpc-js server with the limits of LNC; any other works as well. */
export function createNodeServer(options: grpc.ServerOptions = {}): grpc.Server {
  return new grpc.Server({
    'grpc.max_receive_message_length': MAX_REQUEST_BYTES,
    'grpc.max_send_message_length': -1,
    ...options,
  })
}

/**
 * Serves the client at the other end of `link` with `server`'s services. Resolves when the connection is
 * over. The server stays the caller's to shut down.
 *
 * Node's HTTP/2 takes header values of up to 64 KiB as they are compressed, about 90,000 characters of hex:
 * a client with a larger macaroon is closed with COMPRESSION_ERROR. `forwardGrpc` has no such limit.
 */
export async function serveGrpc(link: Link, server: grpc.Server): Promise<void> {
  const stream = byteStream(link)
  const closed = new Promise<void>((resolve) => stream.once('close', resolve))
  // Errors of the link end the connection; grpc-js reports them to the calls.
  stream.on('error', () => {})
  injectorOf(server).injectConnection(stream)
  await closed
}

function injectorOf(server: grpc.Server): grpc.ConnectionInjector {
  const known = injectors.get(server)
  if (known) return known
  widenHeaders(server)
  const before = http2ServersOf(server)
  const injector = server.createConnectionInjector(grpc.ServerCredentials.createInsecure())
  for (const http2 of http2ServersOf(server)) if (!before.includes(http2)) widenWindow(http2)
  injectors.set(server, injector)
  return injector
}

/**
 * grpc-js has no options for HTTP/2's header limits and windows, and Node's defaults hold neither a large
 * macaroon nor more than 64 KiB for each round trip, so its private fields are set. The version of grpc-js
 * is pinned, and test/mailbox/rpc/serve.test.ts notices when they change their meaning.
 */
function widenHeaders(server: grpc.Server): void {
  const options: unknown = Reflect.get(server, 'commonServerOptions')
  if (typeof options !== 'object' || options === null) return
  const settings: unknown = Reflect.get(options, 'settings')
  Object.assign(options, {
    maxHeaderListPairs: MAX_HEADER_PAIRS,
    settings: {
      ...(typeof settings === 'object' ? settings : {}),
      initialWindowSize: STREAM_WINDOW_BYTES,
      maxHeaderListSize: MAX_HEADER_LIST_BYTES,
    },
  })
}

function http2ServersOf(server: grpc.Server): Http2Server[] {
  const servers: unknown = Reflect.get(server, 'http2Servers')
  return servers instanceof Map ? [...(servers as Map<Http2Server, unknown>).keys()] : []
}

function widenWindow(http2: Http2Server): void {
  http2.on('session', (session: ServerHttp2Session) => {
    session.setLocalWindowSize(CONNECTION_WINDOW_BYTES)
  })
}
