/** The nodes of a running hub: what is done to them is done by the hub, which uses them as they are from then on. */
import type { AdminClient } from '../admin/client.ts'
import type { Node, NodeReport } from '../admin/contract.ts'
import { MSAT_PER_SAT } from '../base/amount.ts'
import type { Permission } from '../nodes/permissions.ts'
import { type Output, type Row, wantsJson, writeResult, writeRows } from './output.ts'
import { permissionText } from './permission-lines.ts'
import type { PairFlags } from './pair.ts'
import { type Progress, showProgress } from './progress.ts'

/** A relay may have to be waited for, in milliseconds. */
const PAIR_MS = 600_000
/** Longer than the hub waits for a node. */
const ASK_MS = 60_000

/** What a pairing came to. */
export interface PairedRow {
  readonly row: Row
  readonly permissions: readonly Permission[]
  readonly advice: string
}

/** Pairs a node. */
export async function pairByHub(
  client: AdminClient,
  phrase: string,
  { mailbox = '', name = '', insecureTls = false }: PairFlags,
  { progress, signal }: { readonly progress: Progress; readonly signal: AbortSignal },
): Promise<PairedRow> {
  const done = new AbortController()
  void tellObstacles(client, progress, done.signal)
  try {
    const request = { phrase, mailbox, name, insecure_tls: insecureTls }
    const report = await client.pairNode(request, { signal, timeoutMs: PAIR_MS })
    const { mailbox: relay, expires_at: expires } = report
    const row = { ...whoOf(report), mailbox: some(relay), expires: some(expires) }
    return { row, permissions: permissionsOf(report), advice: report.advice }
  } finally {
    done.abort()
  }
}

/** What is in the way, as the hub tells it; a hub that tells nothing pairs all the same. */
async function tellObstacles(client: AdminClient, progress: Progress, signal: AbortSignal) {
  try {
    for await (const event of client.streamEvents({}, { signal })) {
      if (event.type === 'pairing' && event.reason !== '') progress.obstacle(event.reason)
    }
  } catch {
    // The answer of the pairing says what matters.
  }
}

/** Lists them with the state of their connections. */
export async function listHubNodes(client: AdminClient, output: Output, json: boolean) {
  const { nodes } = await client.listNodes()
  if (nodes.length === 0 && !wantsJson(output, json)) {
    output.stderr.write('No node is paired. See pinhole pair --help.\n')
    return
  }
  writeRows(output, nodes.map(listed), json)
}

const listed = ({ name, kind, alias, pubkey, network, state, reason, pooled }: Node): Row => ({
  name,
  kind,
  alias: some(alias),
  pubkey: some(pubkey),
  network: some(network),
  state,
  reason: some(reason),
  pooled,
})

const some = (text: string): string | undefined => (text === '' ? undefined : text)

/** Asks one who it is and what its session may do. */
export async function showHubNode(
  name: string,
  client: AdminClient,
  output: Output,
  json: boolean,
): Promise<void> {
  const progress = showProgress(`The hub asks ${name}`, output, json)
  try {
    const report = await client.testNode({ name }, { timeoutMs: ASK_MS })
    const { latency_ms: latency, receivable_msat: msat } = report
    const receivable = msat === '' ? undefined : String(BigInt(msat) / MSAT_PER_SAT)
    const row = {
      ...whoOf(report),
      kind: report.mailbox === '' ? 'lnd' : 'lnc',
      address: some(report.mailbox),
      expires: some(report.expires_at),
      state: 'connected',
      latency_ms: Math.round(latency),
      receivable_sats: receivable,
    }
    showReport(row, report, output, json)
  } finally {
    progress.end()
  }
}

function showReport(row: Row, report: NodeReport, output: Output, json: boolean): void {
  const permissions = permissionsOf(report)
  if (wantsJson(output, json)) {
    return void output.stdout.write(`${JSON.stringify({ ...row, permissions })}\n`)
  }
  const [sell, pay] = [permissionText(permissions, 'sell'), permissionText(permissions, 'pay')]
  writeResult(output, { ...row, sell, pay }, json)
  output.stderr.write(report.advice)
}

const whoOf = ({ name, alias, pubkey, network }: NodeReport) => ({
  name,
  alias: some(alias),
  pubkey: some(pubkey),
  network: some(network),
})

const permissionsOf = ({ permissions }: NodeReport): readonly Permission[] =>
  permissions.map(({ method, purpose, allowed }) => ({ method, purpose, allowed }))
