/** By which errors an operation may be refused, besides those of any operation. The OpenAPI document is made of it. */
import { ERROR_CODES, type ErrorCode } from '../../base/errors.ts'
import type { OperationName } from '../contract.ts'

/** Of any operation; `ERR_STORE_OPEN` is what nobody foresaw. */
const EVERY: readonly ErrorCode[] = ['ERR_ADMIN_REQUEST', 'ERR_ADMIN_ORIGIN', 'ERR_STORE_OPEN']
/** Of one that asks for a macaroon. */
const GUARDED: readonly ErrorCode[] = [
  'ERR_ADMIN_MACAROON',
  'ERR_ADMIN_SCOPE',
  'ERR_ADMIN_ATTEMPTS',
]

const notFound = ['ERR_ADMIN_NOT_FOUND'] as const
/** A hub that was given its nodes by its program has no others. */
const ofNodes = ['ERR_NODE_UNKNOWN', 'ERR_ADMIN_OPERATION'] as const
const areas = (...names: readonly string[]) =>
  ERROR_CODES.filter((code) => names.some((name) => code.startsWith(`ERR_${name}_`)))
/** The way to a node, and the node. */
const WAY = areas('NODE', 'SESSION', 'RELAY', 'LINK', 'GBN', 'MESSAGE', 'NOISE', 'HTTP2')

const OWN: { readonly [Name in OperationName]?: readonly ErrorCode[] } = {
  createService: ['ERR_ADMIN_EXISTS'],
  updateService: notFound,
  deleteService: notFound,
  revokeToken: notFound,
  getService: notFound,
  listPrices: notFound,
  markTransaction: notFound,
  tryService: [
    ...notFound,
    ...ofNodes,
    'ERR_HUB_UNREACHABLE',
    ...areas('PAYMENT', 'BOLT11'),
    ...WAY,
  ],
  pairNode: ['ERR_ADMIN_OPERATION', 'ERR_STORE_SCHEMA', ...areas('PHRASE'), ...WAY],
  testNode: [...ofNodes, ...WAY],
  reconnectNode: ofNodes,
  removeNode: ofNodes,
  createLoginLink: ['ERR_ADMIN_MACAROON'],
}

/** Every error by which `name` may be refused, each once. */
export const refusalsOf = (name: OperationName, guarded: boolean): readonly ErrorCode[] => [
  ...new Set([...EVERY, ...(guarded ? GUARDED : []), ...(OWN[name] ?? [])]),
]
