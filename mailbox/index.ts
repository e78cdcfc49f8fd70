/**
 * `pinhole/lnc`: Lightning Node Connect in Node. `connect` reaches a node, `listen` is the node's end,
 * `mailboxRelay` the relay between them as a Fastify plugin.
 */
import { nodeCrypto } from './crypto/node.ts'
import { generatePhrase as phraseOf } from './phrase.ts'

export { PinholeError, isPinholeError, type ErrorCode } from '../src/base/errors.ts'
export type { Clock } from '../src/base/clock.ts'
export type { Log } from '../src/base/log.ts'
export { PairedNode, type ConnectOptions } from './connect/connect.ts'
export { openLncWebRecord, type LncWebPairing } from './connect/lnc-web-record.ts'
export { connect } from './connect/node.ts'
export type { TransportName } from './connect/platform.ts'
export type { SessionState } from './connect/state.ts'
export type { Link } from './link.ts'
export type { CredentialStore } from './lnc-web/credentials.ts'
export type { LncConfig } from './lnc-web/client.ts'
export { LNC } from './lnc.ts'
export {
  listen,
  type AuthData,
  type ListenOptions,
  type Listener,
  type ListenerState,
  type Peer,
} from './listen/listen.ts'
export { fileStore } from './pairing/file-store.ts'
export type { PairingKeys } from './pairing/notebook.ts'
export { memoryStore, type Pairing, type PairingStore } from './pairing/pairing.ts'
export { parsePhrase } from './phrase.ts'
export { mailboxRelay, type RelayOptions } from './relay/plugin.ts'
export { LightningNode } from './rpc/lightning-node.ts'
export * from './rpc/lnrpc.ts'
export type { NodeRpc } from './rpc/node-rpc.ts'
export type { CallOptions, Metadata, Rpc } from './rpc/rpc.ts'
export { createNodeServer } from './rpc/serve.ts'
export { serviceDefinition } from './rpc/service-definition.ts'
export { forwardGrpc, type ForwardOptions } from './rpc/forward.ts'

/** A new pairing phrase of ten words. */
export const generatePhrase = (): string => phraseOf((length) => nodeCrypto.randomBytes(length))
