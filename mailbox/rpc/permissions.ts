/** What a macaroon of lnd allows, read from the macaroon itself; its signature is the node's to check. */
import { fromBinary } from '@bufbuild/protobuf'
import { BinaryReader } from '@bufbuild/protobuf/wire'
import { fromHex } from '../../src/base/bytes.ts'
import { MacaroonIdSchema } from './gen/lightning_pb.ts'

/** An entity such as `invoices`, or `uri` for single methods, and an action, or the method's path. */
export type Operation = readonly [entity: string, action: string]

/** The operation that lnd asks for, by the path of the method. */
export const METHOD_OPERATIONS: ReadonlyMap<string, Operation> = new Map([
  ['/lnrpc.Lightning/GetInfo', ['info', 'read']],
  ['/lnrpc.Lightning/ListChannels', ['offchain', 'read']],
  ['/lnrpc.Lightning/ChannelBalance', ['offchain', 'read']],
  ['/lnrpc.Lightning/WalletBalance', ['onchain', 'read']],
  ['/lnrpc.Lightning/AddInvoice', ['invoices', 'write']],
  ['/lnrpc.Lightning/LookupInvoice', ['invoices', 'read']],
  ['/lnrpc.Lightning/SubscribeInvoices', ['invoices', 'read']],
  ['/lnrpc.Lightning/DecodePayReq', ['offchain', 'read']],
  ['/lnrpc.Lightning/CheckMacaroonPermissions', ['macaroon', 'read']],
  ['/invoicesrpc.Invoices/SubscribeSingleInvoice', ['invoices', 'read']],
  ['/invoicesrpc.Invoices/CancelInvoice', ['invoices', 'write']],
  ['/invoicesrpc.Invoices/AddHoldInvoice', ['invoices', 'write']],
  ['/invoicesrpc.Invoices/SettleInvoice', ['invoices', 'write']],
  ['/routerrpc.Router/SendPaymentV2', ['offchain', 'write']],
  ['/routerrpc.Router/TrackPaymentV2', ['offchain', 'read']],
])

/** libmacaroons' binary format, version 2: 2 | fields (type, length, bytes) | 0 … ; the first identifier is type 2. */
const MACAROON_VERSION = 2
const LOCATION = 1
const IDENTIFIER = 2
/** lnd's identifier: this byte, then a `MacaroonId`. */
const LND_ID_VERSION = 3

/** The operations of `macaroon` (hex), or `undefined` when it is none of lnd's. */
export function macaroonOperations(macaroon: string): readonly Operation[] | undefined {
  const bytes = fromHex(macaroon)
  if (bytes?.[0] !== MACAROON_VERSION) return undefined
  try {
    return operationsOf(identifierOf(new BinaryReader(bytes.subarray(1))))
  } catch {
    // Cut short, or of another make.
    return undefined
  }
}

/** Whether `operations` let their bearer call the method of `path`. */
export function allows(operations: readonly Operation[], path: string): boolean {
  const needed = METHOD_OPERATIONS.get(path)
  return operations.some(
    ([entity, action]) =>
      (entity === 'uri' && action === path) || (entity === needed?.[0] && action === needed[1]),
  )
}

/** Whether `operations` change nothing: all of them read, or name methods that read. */
export function readOnly(operations: readonly Operation[]): boolean {
  return operations.every(([entity, action]) =>
    entity === 'uri' ? METHOD_OPERATIONS.get(action)?.[1] === 'read' : action === 'read',
  )
}

function identifierOf(reader: BinaryReader): Uint8Array {
  let field = reader.uint32()
  if (field === LOCATION) {
    reader.bytes()
    field = reader.uint32()
  }
  if (field !== IDENTIFIER) throw new RangeError('no identifier')
  return reader.bytes()
}

function operationsOf(identifier: Uint8Array): Operation[] {
  if (identifier[0] !== LND_ID_VERSION) throw new RangeError('not an identifier of lnd')
  const { ops } = fromBinary(MacaroonIdSchema, identifier.subarray(1))
  return ops.flatMap(({ entity, actions }) => actions.map((action): Operation => [entity, action]))
}
