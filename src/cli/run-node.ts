/** Lists, asks and removes the paired nodes. */
import { isPinholeError, PinholeError } from '../base/errors.ts'
import type { Config } from '../config/load.ts'
import { connectStored, unknownNode } from '../nodes/connect-stored.ts'
import { withDirectNode } from '../nodes/direct.ts'
import { askIdentity, type Identity } from '../nodes/identity.ts'
import { lndAddress } from '../nodes/lnd-line.ts'
import { DIRECT_NODE } from '../nodes/names.ts'
import {
  checkPermissions,
  type Permission,
  type SessionRelay,
  suffices,
} from '../nodes/permissions.ts'
import { RowEditor } from '../nodes/row-editor.ts'
import { openPairing } from '../nodes/sealed-store.ts'
import type { NodeSecret } from '../nodes/secret.ts'
import type { NodeRow } from '../store/node-rows.ts'
import type { StoredNodes } from './open-rows.ts'
import { type Output, type Row, wantsJson, writeResult, writeRows } from './output.ts'
import { permissionAdvice, permissionText } from './permission-lines.ts'
import { showProgress } from './progress.ts'

/** What is stored of each node, and the one of the configuration. */
export async function listNodes(nodes: StoredNodes, output: Output, json: boolean): Promise<void> {
  const { config, rows, secret } = nodes
  const direct = isDirect(config) ? [directRow(config)] : []
  const stored = await Promise.all(rows.list().map((row) => storedRow(row, secret)))
  const all = [...direct, ...stored]
  if (all.length === 0 && !wantsJson(output, json)) {
    output.stderr.write('No node is paired. See pinhole pair --help.\n')
    return
  }
  writeRows(output, all, json)
}

const isDirect = ({ authenticator }: Config): boolean =>
  authenticator.lndhost !== '' && !authenticator.disable

const directRow = ({ authenticator }: Config): Row => ({
  name: DIRECT_NODE,
  kind: 'lnd',
  alias: undefined,
  pubkey: undefined,
  network: authenticator.network === '' ? undefined : authenticator.network,
  address: authenticator.lndhost,
})

async function storedRow(row: NodeRow, secret: NodeSecret): Promise<Row> {
  const { name, kind, alias, pubkey, network } = row
  const shown = { name, kind, alias, pubkey, network }
  try {
    const { mailbox, expiresAtMs } = (await openPairing(row, secret)).pairing
    return { ...shown, address: mailbox, expires: expiresAtMs && dateOf(expiresAtMs) }
  } catch (reason) {
    if (!isPinholeError(reason, 'ERR_NODE_SECRET')) throw reason
    return { ...shown, address: '(closed: another secret)' }
  }
}

const dateOf = (ms: number): string => new Date(ms).toISOString()

interface Answers {
  /** Of an LNC session. */
  readonly relay?: SessionRelay
  readonly identity: Identity | undefined
  readonly permissions: readonly Permission[]
}

/** Asks a node who it is and what its session may do. */
export async function showNode(
  name: string,
  nodes: StoredNodes,
  output: Output,
  json: boolean,
): Promise<void> {
  const { config, rows, secret } = nodes
  const row = rows.get(name)
  const direct = name === DIRECT_NODE && isDirect(config)
  if (!row && !direct) throw unknownNode(name)
  const known = row ? await storedRow(row, secret) : directRow(config)
  const progress = showProgress(`Connecting to ${name}`, output, json)
  try {
    const answers = await (row ? askStored(nodes, row) : askDirect(config))
    show({ ...known, ...answers.identity, state: 'connected' }, answers, output, json)
  } catch (reason) {
    if (!isPinholeError(reason, 'ERR_SESSION_IN_USE')) throw reason
    writeResult(output, { ...known, state: 'in use' }, json)
    output.stderr.write('Another connection has this session, as a running hub would.\n')
  } finally {
    progress.end()
  }
}

async function askStored({ rows, secret }: StoredNodes, row: NodeRow): Promise<Answers> {
  const { name } = row
  const node = await connectStored({ rows, secret, name })
  try {
    const identity = await askIdentity(node)
    await new RowEditor(rows).edit(name, (now) => now && { ...now, ...identity })
    const permissions = await checkPermissions(node, node.macaroon)
    const { pairing, insecureTls } = await openPairing(row, secret)
    return { relay: { mailbox: pairing.mailbox, insecureTls }, identity, permissions }
  } finally {
    await node.close()
  }
}

const askDirect = ({ authenticator }: Config): Promise<Answers> =>
  withDirectNode(lndAddress(authenticator), async (node, macaroon) => ({
    identity: await askIdentity(node),
    permissions: await checkPermissions(node, macaroon),
  }))

function show(row: Row, answers: Answers, output: Output, json: boolean): void {
  const { permissions, relay } = answers
  if (wantsJson(output, json)) {
    output.stdout.write(`${JSON.stringify({ ...row, permissions })}\n`)
    return
  }
  const sell = permissionText(permissions, 'sell')
  const pay = permissionText(permissions, 'pay')
  writeResult(output, { ...row, sell, pay }, json)
  // lnd's own invoice.macaroon does not allow GetInfo, and need not.
  if (relay || !suffices(permissions, 'sell')) {
    output.stderr.write(permissionAdvice(permissions, relay))
  }
}

/** Forgets a node. @throws ERR_NODE_UNKNOWN, ERR_CLI_USAGE for the one of the configuration */
export async function removeNode(
  name: string,
  { rows, config }: StoredNodes,
  dryRun: boolean,
): Promise<void> {
  if (dryRun ? rows.get(name) : await rows.remove(name)) return
  if (name !== DIRECT_NODE || !isDirect(config)) throw unknownNode(name)
  const text = 'this node is in the configuration: remove authenticator.lndhost there'
  throw new PinholeError('ERR_CLI_USAGE', text)
}
