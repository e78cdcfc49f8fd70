import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import net, { type AddressInfo } from 'node:net'
import test, { type TestContext } from 'node:test'
import { listen } from '../../mailbox/listen/listen.ts'
import { toHex } from '../../src/base/bytes.ts'
import { decodeInvoice } from '../../src/bolt11/decode.ts'
import { operations } from '../../src/admin/contract.ts'
import { SimulatedNetwork } from '../../src/sandbox/payments.ts'
import { createSimulatedNode } from '../../src/sandbox/simulated-node.ts'
import { adminHub } from './hub.ts'
import { openShop } from './shop.ts'

/** Listens on the loopback address; the address. */
async function bound(t: TestContext, server: net.Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('an upstream is asked whether it answers, by HTTP/1.1 and HTTP/2', async (t) => {
  const shop = await openShop(t)
  const probe = async (body: Readonly<Record<string, unknown>>) => {
    const drawn = await shop.call('POST', '/upstreams/test', body)
    assert.equal(drawn.status, 200, JSON.stringify(drawn.body))
    return operations.testUpstream.response.parse(drawn.body)
  }
  const one = http.createServer(({ url }, response) => {
    response.writeHead(url === '/there' ? 204 : 404).end()
  })
  const address = await bound(t, one)
  const there = await probe({ address, path: '/there' })
  assert.deepEqual([there.reachable, there.status, there.reason], [true, 204, ''])
  assert.equal((await probe({ address })).status, 404)
  const two = http2.createServer((_request, response) => response.writeHead(201).end())
  assert.equal((await probe({ address: await bound(t, two), protocol: 'h2c' })).status, 201)
  const rude = net.createServer((socket) => socket.end('hello'))
  const broken = await probe({ address: await bound(t, rude) })
  assert.equal(broken.reachable, false)
  const none = await probe({ address: '127.0.0.1:1' })
  assert.deepEqual([none.reachable, none.reason], [false, 'nothing listens there'])
  const plain = await probe({ address, protocol: 'https' })
  assert.equal(plain.reachable, false)
  for (const wrong of [
    {},
    { address: 'http://x/' },
    { address: '' },
    { address, protocol: 'ftp' },
    { address, path: '/ x\r\nHost: y' },
    { address, path: 'x' },
    { address, tls_cert_path: '/nowhere' },
  ]) {
    const { status } = await shop.call('POST', '/upstreams/test', wrong)
    assert.equal(status, 400, JSON.stringify(wrong))
  }
})

test('a service is tried as a client would: its 402 is shown, what is free is answered', async (t) => {
  const shop = await openShop(t)
  const tried = operations.tryService.response.parse(
    (await shop.call('POST', '/services/paid/try', { path: '/paid' })).body,
  )
  assert.deepEqual([tried.status, tried.price_sats, tried.paid], [402, '5', false])
  assert.match(tried.challenge, /^LSAT macaroon="/)
  assert.match(tried.invoice, /^lnbcrt/)
  await shop.call('PUT', '/services/paid', { auth: 'off' })
  const free = (await shop.call('POST', '/services/paid/try', { path: '/paid' })).body
  assert.deepEqual([free.status, free.body, free.invoice], [200, 'served', ''])
  assert.equal((await shop.call('POST', '/services/other/try', {})).status, 404)
  assert.equal((await shop.call('POST', '/services/paid/try', { path: 'x' })).status, 400)
  assert.equal((await shop.call('POST', '/services/paid/try', { method: 'a b' })).status, 400)
})

test('a paired node pays within the limit and never above it; the payment is marked as a test', async (t) => {
  const upstream = http.createServer((_request, response) => response.end('served'))
  const address = await bound(t, upstream)
  const services = [{ name: 'paid', address, hostregexp: '^api[.]test$|.*', price: 5 }]
  const { call, url } = await adminHub(t, { hashmail: { enabled: true }, services })
  const network = new SimulatedNetwork()
  const simulated = createSimulatedNode({ alias: 'Bob', network })
  const authData = `Macaroon: ${simulated.adminMacaroon}`
  const waiting = await listen({ mailbox: url, server: simulated.server, authData })
  t.after(async () => {
    await waiting.close()
    simulated.server.forceShutdown()
  })
  await call('POST', '/nodes', { phrase: waiting.phrase, mailbox: url })
  const { challenge } = operations.tryService.response.parse(
    (await call('POST', '/services/paid/try', {})).body,
  )
  const since = async (text: string) => call('POST', '/services/paid/try', { challenge: text })
  const unpaid = operations.tryService.response.parse((await since(challenge)).body)
  assert.deepEqual([unpaid.status, unpaid.paid, unpaid.challenge], [402, false, challenge])
  assert.equal((await since('L402 nonsense')).status, 400)
  const dear = await call('POST', '/services/paid/try', { max_sats: 4 })
  assert.deepEqual([dear.status, dear.body.error], [402, 'ERR_PAYMENT_LIMIT'])
  assert.equal((await call('GET', '/stats')).body.transaction_count, '0')
  const bought = await call('POST', '/services/paid/try', { max_sats: 5 })
  const { status, paid, body, price_sats } = operations.tryService.response.parse(bought.body)
  assert.deepEqual([status, paid, body, price_sats], [200, true, 'served', '5'])
  const { body: list } = await call('GET', '/transactions?state=settled')
  const { transactions } = operations.listTransactions.response.parse(list)
  assert.deepEqual(
    transactions.map(({ test: marked }) => marked),
    [true],
  )
  network.pay(toHex(decodeInvoice(unpaid.invoice).paymentHash), 5_000n)
  const elsewhere = operations.tryService.response.parse((await since(challenge)).body)
  assert.deepEqual([elsewhere.status, elsewhere.paid, elsewhere.body], [200, true, 'served'])
  const unknown = await call('POST', '/services/paid/try', { max_sats: 5, node: 'alice' })
  assert.deepEqual([unknown.status, unknown.body.error], [404, 'ERR_NODE_UNKNOWN'])
})
