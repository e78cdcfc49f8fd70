/** Whether what the ledger says was sold is what the nodes have received, payment by payment. */
import { toHex } from '../base/bytes.ts'
import { GrpcCode, isPinholeError } from '../base/errors.ts'
import type { Page, Transaction, TransactionFilter } from '../store/transactions.ts'
import {
  type Check,
  type DoctorNode,
  failed,
  fine,
  skipped,
  type Verdict,
  warning,
  wrong,
} from './check.ts'
import { LIST_INVOICES, settledInvoices } from './node-invoices.ts'

/** An offer, as far as it is compared. */
export type Sale = Pick<Transaction, 'state' | 'paymentHash' | 'priceMsat' | 'imported'>

/** What was offered and sold. */
export interface Ledger {
  readonly list: (filter: TransactionFilter, page: Page) => readonly Sale[]
}

const PAGE = 1_000
/** What comes meanwhile is in one of the two only. */
const ADVICE_AGAIN = 'Run it again: a payment that comes meanwhile is in one of the two only.'

/** The check; only where it was asked for. */
export const reconcileCheck: Check = {
  name: 'reconcile',
  limitMs: 120_000,
  async run({ ledger, nodes }, signal) {
    if (!ledger || !nodes) {
      return [skipped('the nodes or the ledger cannot be asked', 'Start the hub, and ask it.')]
    }
    const sold = soldBy(ledger)
    const total = sum(sold.values())
    const count = sold.size
    const found: Verdict[] = []
    for (const node of nodes) found.push(...(await compare(node, sold, ledger, signal)))
    const complete = found.every(({ level }) => level === 'ok')
    if (sold.size > 0) found.push(missing(sold, complete))
    else if (complete) {
      found.push(fine(`all ${count} payments of the ledger, ${total} msat, are at the nodes too`))
    }
    return found
  },
}

/** What is settled here, by payment hash in hex, in millisatoshis. Payments to an Aperture are not ours to find. */
function soldBy(ledger: Ledger): Map<string, bigint> {
  const sold = new Map<string, bigint>()
  for (let offset = 0; ; offset += PAGE) {
    const page = ledger.list({ state: 'settled' }, { limit: PAGE, offset })
    for (const { paymentHash, priceMsat, imported } of page) {
      if (!imported) sold.set(toHex(paymentHash), priceMsat)
    }
    if (page.length < PAGE) return sold
  }
}

const sum = (amounts: Iterable<bigint>): bigint => [...amounts].reduce((all, one) => all + one, 0n)

/** Takes what `node` has received out of `sold`, and tells what does not fit. */
async function compare(
  node: DoctorNode,
  sold: Map<string, bigint>,
  ledger: Ledger,
  signal: AbortSignal,
): Promise<Verdict[]> {
  const rpc = node.rpc()
  if (!rpc) return [warning(`${node.name} is not connected`, 'Run it again when it is.')]
  const found: Verdict[] = []
  let [matched, msat, foreign] = [0, 0n, 0]
  try {
    for await (const received of settledInvoices(rpc, signal)) {
      const hash = toHex(received.paymentHash)
      const price = sold.get(hash)
      if (price === undefined) {
        if (isUnheard(ledger, hash)) found.push(unheard(node, hash, received.msat))
        else foreign++
        continue
      }
      sold.delete(hash)
      matched++
      msat += price
      if (received.msat < price) found.push(tooLittle(node, hash, received.msat, price))
    }
  } catch (reason) {
    return [refusal(node, reason)]
  }
  const others = foreign === 0 ? '' : `; ${foreign} more are not of this hub`
  const text = `${node.name}: ${matched} payments, ${msat} msat, are in the ledger${others}`
  return [...found, fine(text)]
}

/** Offered here and paid there, but not known as paid here. */
const isUnheard = (ledger: Ledger, hash: string): boolean =>
  ledger.list({ search: hash }, { limit: 1 }).some(({ state }) => state === 'pending')

const unheard = ({ name }: DoctorNode, hash: string, msat: bigint): Verdict =>
  wrong(`${name}: was paid ${msat} msat for ${hash}, which the ledger has as unpaid`, ADVICE_AGAIN)

const tooLittle = ({ name }: DoctorNode, hash: string, msat: bigint, price: bigint): Verdict =>
  wrong(
    `${name}: was paid ${msat} msat for ${hash}, sold for ${price} msat`,
    'Look at the invoice at the node.',
  )

function missing(sold: ReadonlyMap<string, bigint>, complete: boolean): Verdict {
  const [first = ''] = sold.keys()
  const text = `${sold.size} payments of the ledger, ${sum(sold.values())} msat, are at no node that could be asked, such as ${first}`
  return complete
    ? wrong(text, `They went to a node that is not paired any more. ${ADVICE_AGAIN}`)
    : warning(text, 'Look at the nodes above that could not be asked.')
}

function refusal({ name }: DoctorNode, reason: unknown): Verdict {
  if (isPinholeError(reason, 'ERR_NODE_PERMISSION')) {
    const advice = `Allow it ${LIST_INVOICES}: --uri (litcli sessions add), uri: (lncli bakemacaroon).`
    return warning(`${name}: the session may not list invoices`, advice)
  }
  if (isPinholeError(reason, 'ERR_NODE_CALL') && reason.grpc === GrpcCode.unimplemented) {
    return skipped(`${name}: this kind of node does not list its invoices`)
  }
  return failed(reason, `${name}: `)
}
