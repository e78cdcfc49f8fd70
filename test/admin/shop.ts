/** A hub that sells to tests: one service at `/paid`, an upstream, and a node in memory whose invoices the test pays. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { formatAuthorization, parseChallenge } from '../../proxy/l402/index.ts'
import { operations } from '../../src/admin/contract.ts'
import { toHex } from '../../src/base/bytes.ts'
import { systemClock } from '../../src/base/clock.ts'
import type { HubDeps } from '../../src/hub.ts'
import type { MadeInvoice } from '../../src/invoices/node.ts'
import { VirtualNode } from '../invoices/virtual-node.ts'
import { adminHub, type AdminHub } from './hub.ts'

/** An offer that a client has. */
export interface Offer {
  readonly tokenId: string
  readonly paymentHash: Uint8Array
  /** For the header `Authorization`, once paid. */
  readonly authorization: string
}

/** The hub and what tests do to it. */
export interface Shop extends AdminHub {
  readonly node: VirtualNode
  /** Draws a 402. */
  offer(path?: string): Promise<Offer>
  /** Draws a 402 and pays it; resolves when the hub knows. */
  buy(path?: string): Promise<Offer>
  /** Comes back with the token. */
  use(offer: Offer, path?: string): Promise<number>
}

/** Its invoices name their payment hash. */
class NamingNode extends VirtualNode {
  override create(amountMsat: bigint): MadeInvoice {
    const made = super.create(amountMsat)
    return { ...made, paymentRequest: `lnbcrt${toHex(made.paymentHash)}` }
  }
}

/** Opens it. The price is 5 satoshis, with as many millisatoshis. */
export async function openShop(
  t: TestContext,
  values: Readonly<Record<string, unknown>> = {},
  deps: HubDeps = {},
): Promise<Shop> {
  const upstream = http.createServer((_request, response) => response.end('served'))
  upstream.listen(0, '127.0.0.1')
  await once(upstream, 'listening')
  t.after(() => upstream.close().closeAllConnections())
  const address = `127.0.0.1:${(upstream.address() as AddressInfo).port}`
  const node = new NamingNode('only', systemClock)
  const source = { get: () => node, all: () => [node] }
  const services = [{ name: 'paid', address, pathregexp: '^/paid', price: 5 }]
  const admin = await adminHub(t, { services, ...values }, undefined, { nodes: source, ...deps })
  const offer = async (path = '/paid'): Promise<Offer> => {
    const { status, headers } = await fetch(admin.url + path)
    assert.equal(status, 402)
    const [challenge] = parseChallenge([headers.get('www-authenticate') ?? ''])
    const kept = node.invoices.get(challenge?.invoice.slice('lnbcrt'.length) ?? '')
    assert.ok(challenge && kept)
    const { body } = await admin.call('GET', `/transactions?search=${toHex(kept.paymentHash)}`)
    const [row] = operations.listTransactions.response.parse(body).transactions
    return {
      tokenId: row?.token_id ?? '',
      paymentHash: kept.paymentHash,
      authorization: formatAuthorization(challenge.macaroon, kept.preimage),
    }
  }
  const stateOf = async ({ tokenId }: Offer): Promise<unknown> => {
    const { body } = await admin.call('GET', `/transactions?state=settled&search=${tokenId}`)
    return Array.isArray(body.transactions) && body.transactions.length > 0
  }
  return {
    ...admin,
    node,
    offer,
    async buy(path) {
      const offered = await offer(path)
      node.settle(offered.paymentHash)
      while (!(await stateOf(offered))) await new Promise((resolve) => setTimeout(resolve, 5))
      return offered
    },
    async use({ authorization }, path = '/paid') {
      const answer = await fetch(admin.url + path, { headers: { authorization } })
      await answer.text()
      return answer.status
    },
  }
}
