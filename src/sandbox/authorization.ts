/** Who may call what on the simulated node: lnd's permissions and lnd's words when it refuses. */
import { randomBytes } from 'node:crypto'
import { toHex } from '../base/bytes.ts'
import { METHOD_OPERATIONS } from '../../mailbox/rpc/permissions.ts'
import { bakeMacaroon, type Permission } from './macaroon.ts'

const ENTITIES = [
  'info',
  'offchain',
  'onchain',
  'invoices',
  'macaroon',
  'address',
  'message',
  'peers',
  'signer',
]

/** Everything the node has. */
export const ADMIN: readonly Permission[] = ENTITIES.map((entity) => ({
  entity,
  actions: ['read', 'write'],
}))

/** What a litd session of type read-only has. */
export const READ_ONLY: readonly Permission[] = ENTITIES.map((entity) => ({
  entity,
  actions: ['read'],
}))

/** The macaroons that one node has baked. */
export class MacaroonBook {
  readonly #rootKey = randomBytes(32)
  readonly #permissions = new Map<string, readonly Permission[]>()

  /** A new macaroon in hex. */
  bake(permissions: readonly Permission[]): string {
    const macaroon = toHex(bakeMacaroon(this.#rootKey, permissions))
    this.#permissions.set(macaroon, permissions)
    return macaroon
  }

  /** Makes a macaroon worthless. */
  revoke(macaroon: string): void {
    this.#permissions.delete(macaroon)
  }

  /** lnd's words for refusing `method` to the bearer of `macaroons`, or `undefined` when it is allowed. */
  refuse(macaroons: readonly string[], method: string): string | undefined {
    const [macaroon] = macaroons
    if (macaroon === undefined || macaroons.length > 1) {
      return `expected 1 macaroon, got ${macaroons.length}`
    }
    const permissions = this.#permissions.get(macaroon)
    if (!permissions) return 'verification failed: signature mismatch after caveat verification'
    const [entity, action] = METHOD_OPERATIONS.get(method) ?? ['', '']
    return allows(permissions, entity, action) || allows(permissions, 'uri', method)
      ? undefined
      : 'permission denied'
  }

  /** Whether the macaroon carries all of `wanted`, or may call `method` when that is given. */
  check(macaroon: string, wanted: readonly (readonly [string, string])[], method: string): boolean {
    const permissions = this.#permissions.get(macaroon)
    if (!permissions) return false
    if (method !== '') return this.refuse([macaroon], method) === undefined
    return wanted.every(([entity, action]) => allows(permissions, entity, action))
  }
}

const allows = (permissions: readonly Permission[], entity: string, action: string): boolean =>
  permissions.some(
    (permission) => permission.entity === entity && permission.actions.includes(action),
  )
