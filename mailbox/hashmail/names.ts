/** Names that both the relay and the clients of hashmail use (LNC §10.1, §10.2). Runs in a browser. */

/** The gRPC service. */
export const HASHMAIL_SERVICE = 'hashmailrpc.HashMail'

/** Its methods. */
export type HashmailMethod = 'NewCipherBox' | 'DelCipherBox' | 'SendStream' | 'RecvStream'

/** Path of a gRPC method, e.g. `/hashmailrpc.HashMail/SendStream`. */
export const grpcPath = (method: HashmailMethod): string => `/${HASHMAIL_SERVICE}/${method}`

/** REST: POST creates a box, DELETE removes one. */
export const REST_PATH = '/v1/lightning-node-connect/hashmail'
/** REST and WebSocket: write to a box. */
export const REST_SEND_PATH = `${REST_PATH}/send`
/** REST and WebSocket: read a box. */
export const REST_RECEIVE_PATH = `${REST_PATH}/receive`

/** A WebSocket opens with GET; this query names the REST method that is meant (LNC §10.2). */
export const WEBSOCKET_QUERY = '?method=POST'

/** Bytes of a stream id that count; a shorter one is padded with zeros, a longer one cut (LNC §10.3). */
export const STREAM_ID_BYTES = 64

/** Payload of the relay's WebSocket pings. */
export const PING_PAYLOAD = 'are you there?'

/** Error texts of the relay. Clients compare them, Go's by substring, so they never change. */
export const HashmailText = {
  boxExists: 'stream already active',
  notFound: 'stream not found',
  readOccupied: 'read stream occupied',
  writeOccupied: 'write stream occupied',
  shuttingDown: 'stream shutting down',
  serverShuttingDown: 'server shutting down',
  readerEnd: 'EOF',
  writerEnd: 'io: read/write on closed pipe',
  noDesc: 'cipher box descriptor required',
  noStreamId: 'stream_id required',
  noAuth: 'auth type required',
} as const
