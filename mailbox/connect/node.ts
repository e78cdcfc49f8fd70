/** `connect` in Node: OpenSSL, and relays over WebSocket or gRPC. */
import { nodeCrypto } from '../crypto/node.ts'
import { grpcRelay } from '../transport/grpc.ts'
import { nodeSockets } from '../transport/socket-node.ts'
import { websocketRelay } from '../transport/websocket.ts'
import { connectOn } from './connect.ts'
import type { Platform } from './platform.ts'

/** Node. */
export const nodePlatform: Platform = {
  crypto: nodeCrypto,
  transports: ['websocket', 'grpc'],
  relay(address, { transport, clock, ...tls }) {
    switch (transport) {
      case 'grpc':
        return grpcRelay(address, { ...tls, clock })
      case 'websocket':
        return websocketRelay(address, nodeSockets(tls, clock), clock)
    }
  },
}

/**
 * Connects to a node. Resolves when calls go through; from then on the session heals itself for ever.
 *
 * @throws PinholeError before anything is sent: ERR_PHRASE_*, ERR_SESSION_KEYS, ERR_RELAY_ADDRESS; at once when
 * known: ERR_RELAY_CERTIFICATE, ERR_NOISE_VERSION, ERR_SESSION_STORE; after a moment: ERR_SESSION_NOT_FOUND,
 * ERR_SESSION_EXPIRED, ERR_SESSION_IN_USE, ERR_RELAY_UNREACHABLE, ERR_RELAY_REFUSED; after `timeoutMs`:
 * ERR_NODE_OFFLINE, or what is in the way. `signal`'s reason when aborted.
 */
export const connect = connectOn(nodePlatform)
