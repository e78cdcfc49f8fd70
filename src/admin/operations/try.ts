/** Upstreams and services, tried out. */
import { MSAT_PER_SAT } from '../../base/amount.ts'
import { compileServices } from '../../../proxy/compile.ts'
import { formatAuthorization } from '../../../proxy/l402/authorization.ts'
import { type Challenge, parseChallenge } from '../../../proxy/l402/challenge.ts'
import { isPinholeError, PinholeError } from '../../base/errors.ts'
import { type DecodedInvoice, decodeInvoice } from '../../bolt11/decode.ts'
import { satoshis } from '../../client/purchase.ts'
import { compileDeps } from '../../selling/compile-deps.ts'
import { service as serviceSchema } from '../../config/service-schema.ts'
import type { CheckedRequestOf } from '../contract.ts'
import type { AdminDeps } from '../deps.ts'
import type { Operations } from '../operations.ts'
import { askItself, type OwnAnswer } from '../own-request.ts'
import { probe } from '../upstream-probe.ts'
import { refuse } from './service-rules.ts'

/** `testUpstream`, `tryService`. */
export const tryOperations = (
  deps: AdminDeps,
): Pick<Operations, 'testUpstream' | 'tryService'> => ({
  async testUpstream(request) {
    checkPath(request.path)
    return probe(upstreamOf(request, deps), request.path, deps.clock)
  },
  async tryService({ name, path, method, max_sats: maxSats, node, challenge: before }, { signal }) {
    const entry = deps.services.get(name)
    if (!entry) throw new PinholeError('ERR_ADMIN_NOT_FOUND', 'service not found')
    checkPath(path)
    if (!/^[A-Z]{1,16}$/.test(method) || method === 'CONNECT') refuse('method: must be one of HTTP')
    const host = literalHost(entry.settings.hostregexp)
    const ask = (headers: Readonly<Record<string, string>>) =>
      askItself({
        address: deps.address() ?? '',
        method,
        path,
        headers: { ...(host === undefined ? {} : { host }), ...headers },
        signal,
      })
    if (before !== '') {
      const { shown, authorization } = await paidSince(before, deps)
      if (authorization === undefined) return { ...shown, ...UNPAID, paid: false }
      return { ...shown, ...lastOf(await ask({ authorization })), paid: true }
    }
    const first = await ask({})
    const [challenge] = first.status === 402 ? parseChallenge(first.challenges) : []
    const shown = {
      challenge: first.challenges.join('\n'),
      invoice: challenge?.invoice ?? '',
      price_sats: challenge ? priceOf(challenge, entry.settings.price) : '0',
    }
    if (!challenge || maxSats === undefined) return { ...shown, ...lastOf(first), paid: false }
    const maxMsat = BigInt(maxSats) * MSAT_PER_SAT
    const authorization = await pay(challenge, { maxMsat, node, signal }, deps)
    return { ...shown, ...lastOf(await ask({ authorization })), paid: true }
  },
})

const UNPAID = { status: 402, headers: {}, body: '' }

const lastOf = ({ status, headers, body }: OwnAnswer) => ({ status, headers, body })

function checkPath(path: string): void {
  if (!/^\/[\x21-\x7e]{0,8000}$/.test(path)) refuse('path: must begin with / and hold no blanks')
}

/** @throws ERR_ADMIN_REQUEST for what no service could have */
function upstreamOf(request: CheckedRequestOf<'testUpstream'>, { config }: AdminDeps) {
  const { address, protocol, tls_cert_path: tlscertpath, tls_insecure: tlsinsecure } = request
  const entry = { name: 'upstream', address, protocol, tlscertpath, tlsinsecure }
  const read = serviceSchema.safeParse(entry)
  if (!read.success) refuse(read.error.issues.map(({ message }) => message).join('; '))
  try {
    const [service] = compileServices([read.data], compileDeps(config()))
    if (service) return service.upstream
  } catch (reason) {
    if (isPinholeError(reason)) refuse(reason.message)
    throw reason
  }
  return refuse('address is required')
}

/** The one name that a pattern of hosts stands for, where it does. */
function literalHost(pattern: string): string | undefined {
  const [, host] = /^\^?((?:[a-z0-9-]|\\?\.)+)(?::\d+)?\$?$/i.exec(pattern) ?? []
  return host !== undefined && /[a-z0-9]/i.test(host) ? host.replaceAll('\\', '') : undefined
}

function priceOf({ invoice }: Challenge, price: number): string {
  const amountMsat = tryDecode(invoice)?.amountMsat
  return amountMsat === undefined ? String(price) : String(amountMsat / MSAT_PER_SAT)
}

function tryDecode(invoice: string): DecodedInvoice | undefined {
  try {
    return decodeInvoice(invoice)
  } catch {
    // The invoice is the node's: shown as it is.
    return undefined
  }
}

/** What opens the service once the invoice of a challenge was paid, by whomever; marked as a test. */
async function paidSince(text: string, { invoices, store }: AdminDeps) {
  const [challenge] = parseChallenge(text.split('\n'))
  const invoice = challenge && tryDecode(challenge.invoice)
  if (!challenge || !invoice) return refuse('challenge: is none of a service')
  const { amountMsat = 0n, paymentHash } = invoice
  const price_sats = String(amountMsat / MSAT_PER_SAT)
  const shown = { challenge: text, invoice: challenge.invoice, price_sats }
  const preimage = await invoices.preimage(paymentHash)
  if (!preimage) return { shown, authorization: undefined }
  await markAsTest(paymentHash, store)
  return { shown, authorization: formatAuthorization(challenge.macaroon, preimage) }
}

async function markAsTest(paymentHash: Uint8Array, { transactions }: AdminDeps['store']) {
  const [sale] = transactions.list({ paymentHash }, { limit: 1 })
  if (sale) await transactions.mark(sale.id, true)
}

interface Spending {
  readonly maxMsat: bigint
  readonly node: string
  readonly signal: AbortSignal
}

/** Pays within the limit, route and all, and marks it as a test; what to show for it. */
async function pay(
  { macaroon, invoice }: Challenge,
  { maxMsat, node, signal }: Spending,
  { nodes, store }: AdminDeps,
): Promise<string> {
  const { amountMsat, paymentHash } = decodeInvoice(invoice)
  if (amountMsat === undefined || amountMsat > maxMsat) {
    const asked = amountMsat === undefined ? 'any amount' : satoshis(amountMsat)
    const text = `the service asks for ${asked} and the limit is ${satoshis(maxMsat)}`
    throw new PinholeError('ERR_PAYMENT_LIMIT', text)
  }
  if (!nodes) {
    throw new PinholeError('ERR_ADMIN_OPERATION', 'this hub was given its nodes by its program')
  }
  const wallet = nodes.wallet(node === '' ? undefined : node)
  const { preimage } = await wallet.pay(invoice, { maxFeeMsat: maxMsat - amountMsat, signal })
  await markAsTest(paymentHash, store)
  return formatAuthorization(macaroon, preimage)
}
