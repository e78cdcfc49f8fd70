/** Macaroons of the simulated node: libmacaroons' binary version 2 with lnd's identifier in it. */
import { createHmac, randomBytes } from 'node:crypto'
import { concat, utf8 } from '../base/bytes.ts'

const LOCATION = 1
const IDENTIFIER = 2
const SIGNATURE = 6
/** lnd's identifier: a version byte, then protobuf { nonce 1, storage id 2, repeated op 3 { entity 1, actions 2 } }. */
const LND_ID_VERSION = 3

/** What a macaroon allows: an entity such as `invoices` or `uri`, and actions on it. */
export interface Permission {
  readonly entity: string
  readonly actions: readonly string[]
}

/** A macaroon with `permissions`, signed with `rootKey`. */
export function bakeMacaroon(rootKey: Uint8Array, permissions: readonly Permission[]): Uint8Array {
  const ops = permissions.map(({ entity, actions }) =>
    field(3, concat(field(1, utf8(entity)), ...actions.map((action) => field(2, utf8(action))))),
  )
  const id = concat(
    Uint8Array.of(LND_ID_VERSION),
    field(1, randomBytes(16)),
    field(2, utf8('0')),
    ...ops,
  )
  // The key of a macaroon is derived from the root key with this text (libmacaroons).
  const key = createHmac('sha256', 'macaroons-key-generator').update(rootKey).digest()
  const signature = createHmac('sha256', key).update(id).digest()
  return concat(
    Uint8Array.of(2),
    packet(LOCATION, utf8('lnd')),
    packet(IDENTIFIER, id),
    // End of the header, end of the (empty) list of caveats.
    Uint8Array.of(0, 0),
    packet(SIGNATURE, signature),
  )
}

const field = (number: number, value: Uint8Array): Uint8Array => packet((number << 3) | 2, value)

const packet = (tag: number, value: Uint8Array): Uint8Array =>
  concat(Uint8Array.of(tag), varint(value.length), value)

function varint(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80)
  bytes.push(rest)
  return Uint8Array.from(bytes)
}
