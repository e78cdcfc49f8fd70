/** What a hub asks of a node, and whether its macaroon allows that. */
import { fromHex } from '../base/bytes.ts'
import { isPinholeError } from '../base/errors.ts'
import type { LightningNode } from '../../mailbox/rpc/lightning-node.ts'
import {
  allows,
  macaroonOperations,
  METHOD_OPERATIONS,
  type Operation,
} from '../../mailbox/rpc/permissions.ts'

const GET_INFO = '/lnrpc.Lightning/GetInfo'

/** Methods that a paywall calls. */
export const SELLING = [
  GET_INFO,
  '/lnrpc.Lightning/AddInvoice',
  '/lnrpc.Lightning/LookupInvoice',
  '/lnrpc.Lightning/SubscribeInvoices',
] as const

/** Methods that one who pays calls. */
export const PAYING = [
  '/routerrpc.Router/SendPaymentV2',
  '/routerrpc.Router/TrackPaymentV2',
] as const

const CHECK = '/lnrpc.Lightning/CheckMacaroonPermissions'
const TIMEOUT_MS = 10_000

/** Whether the node lets a session call one method; `allowed` is `undefined` when nothing tells. */
export interface Permission {
  readonly method: string
  readonly purpose: 'sell' | 'pay'
  readonly allowed: boolean | undefined
}

/**
 * Looks at each method that a hub needs. The macaroon says itself what it is for; the node, where it lets
 * itself be asked, also whether it still takes it.
 */
export async function checkPermissions(
  node: LightningNode,
  macaroon: string,
): Promise<readonly Permission[]> {
  const operations = macaroonOperations(macaroon)
  const asking = !operations || allows(operations, CHECK)
  const certain = asking && (await ask(node, macaroon, CHECK)) === true
  const look = async (method: string): Promise<boolean | undefined> => {
    const written = operations && allows(operations, method)
    if (!certain || written === false) return written
    return (await ask(node, macaroon, method)) ?? written
  }
  const sell = SELLING.map((method) => ({ method, purpose: 'sell' as const }))
  const pay = PAYING.map((method) => ({ method, purpose: 'pay' as const }))
  return Promise.all(
    [...sell, ...pay].map(async (needed) => ({ ...needed, allowed: await look(needed.method) })),
  )
}

/** What the node says; `undefined` when it cannot be asked. */
async function ask(
  node: LightningNode,
  macaroon: string,
  fullMethod: string,
): Promise<boolean | undefined> {
  const [entity, action]: Operation = METHOD_OPERATIONS.get(fullMethod) ?? ['', '']
  const request = {
    macaroon: fromHex(macaroon) ?? new Uint8Array(),
    permissions: [{ entity, action }],
    fullMethod,
  }
  try {
    return await node.checkMacaroonPermissions(request, { timeoutMs: TIMEOUT_MS })
  } catch (reason) {
    return isPinholeError(reason, 'ERR_NODE_PERMISSION') ? false : undefined
  }
}

/** Whether the node can serve one of the two purposes: without `GetInfo` it does so without a name. */
export const suffices = (
  permissions: readonly Permission[],
  purpose: Permission['purpose'],
): boolean =>
  permissions.every(
    ({ method, purpose: of, allowed }) => of !== purpose || method === GET_INFO || allowed === true,
  )

/** The relay of an LNC session. */
export interface SessionRelay {
  readonly mailbox: string
  readonly insecureTls: boolean
}

/** The relay that litd uses unless told another. */
const LITD_MAILBOX = 'mailbox.terminal.lightning.today:443'

/** What to type beside litd for a session that may call `methods` and nothing else. */
export function sessionCommand(
  methods: readonly string[],
  { mailbox, insecureTls }: SessionRelay,
): string {
  const words = [
    'litcli sessions add --label pinhole --type custom',
    ...(mailbox === LITD_MAILBOX ? [] : [`--mailboxserveraddr ${mailbox}`]),
    ...(insecureTls ? ['--devserver'] : []),
    ...methods.map((method) => `--uri ${method}`),
  ]
  return words.join(' \\\n    ')
}

/** What to type beside lnd for a macaroon that allows to call `methods` and nothing else. */
export const bakeCommand = (methods: readonly string[]): string =>
  [
    'lncli bakemacaroon --save_to pinhole.macaroon',
    ...methods.map((method) => `uri:${method}`),
  ].join(' \\\n    ')
