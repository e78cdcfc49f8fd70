/** A hub that sells: composed whole, with a node that is only said to be there, and read again while it runs. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import test, { type TestContext } from 'node:test'
import { formatAuthorization, parseChallenge } from '../proxy/l402/index.ts'
import { ManualClock } from '../src/base/clock.ts'
import { isPinholeError } from '../src/base/errors.ts'
import { createHub, type Hub, loadConfig } from '../src/index.ts'
import type { InvoiceNode, NodeSource } from '../src/invoices/node.ts'

const SAT = 1_000n

/** Makes invoices whose preimages the test knows, by payment hash. */
function node(): { source: NodeSource; preimages: Map<string, Uint8Array> } {
  const preimages = new Map<string, Uint8Array>()
  let made = 0n
  const only: InvoiceNode = {
    name: 'only',
    state: 'ready',
    onReady: () => () => {},
    async addInvoice({ amountMsat }) {
      const preimage = Uint8Array.from(randomBytes(32))
      const paymentHash = Uint8Array.from(createHash('sha256').update(preimage).digest())
      const paymentRequest = `lnbcrt${amountMsat}n1${Buffer.from(paymentHash).toString('hex')}`
      preimages.set(paymentRequest, preimage)
      return { paymentRequest, paymentHash, addIndex: ++made }
    },
    async *subscribeInvoices(_indexes, signal) {
      await once(signal, 'abort')
      yield* []
    },
    lookupInvoice: async () => undefined,
  }
  return { source: { get: () => only, all: () => [only] }, preimages }
}

/** An upstream that answers with what it was asked for, and with a stream at `/stream`. */
async function upstream(t: TestContext): Promise<{ address: string; end: () => void }> {
  const open = new Set<http.ServerResponse>()
  const server = http.createServer((request, response) => {
    if (request.url !== '/stream') return void response.end(request.headers['x-pinhole-service'])
    response.write('first ')
    open.add(response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    end: () => open.forEach((response) => response.end('last')),
  }
}

interface Shop {
  readonly hub: Hub
  readonly url: string
  readonly config: (values: Record<string, unknown>) => ReturnType<typeof loadConfig>
  readonly basedir: string
  readonly preimages: ReadonlyMap<string, Uint8Array>
}

async function open(t: TestContext, values: Record<string, unknown>): Promise<Shop> {
  const basedir = mkdtempSync(path.join(os.tmpdir(), 'pinhole-selling-'))
  const config = (more: Record<string, unknown>) =>
    loadConfig({
      configfile: false,
      basedir,
      values: { listenaddr: '127.0.0.1:0', insecure: true, ...more },
    })
  const { source, preimages } = node()
  const hub = createHub(config(values), { nodes: source })
  t.after(async () => {
    await hub.close()
    rmSync(basedir, { recursive: true })
  })
  return { hub, url: await hub.listen(), config, basedir, preimages }
}

const paid = (address: string, price: number) => ({ name: 'paid', address, price })

/** The price in the body of a 402. */
async function priceAt(url: string): Promise<unknown> {
  const answer = await fetch(url)
  assert.equal(answer.status, 402)
  const body = (await answer.json()) as { amountMsat: unknown }
  return body.amountMsat
}

async function buy(url: string, preimages: ReadonlyMap<string, Uint8Array>): Promise<string> {
  const { headers } = await fetch(url)
  const [challenge] = parseChallenge([headers.get('www-authenticate') ?? ''])
  const preimage = preimages.get(challenge?.invoice ?? '')
  assert.ok(challenge && preimage)
  return formatAuthorization(challenge.macaroon, preimage)
}

test('an unpaid request draws a 402, its token opens the service, the database is the owner’s', async (t) => {
  const { address } = await upstream(t)
  const { url, preimages, basedir } = await open(t, { services: [paid(address, 7)] })
  assert.equal(await priceAt(url), Number(7n * SAT))
  const authorization = await buy(url, preimages)
  const answer = await fetch(url, { headers: { authorization } })
  assert.deepEqual([answer.status, await answer.text()], [200, 'paid'])
  assert.equal(statSync(path.join(basedir, 'pinhole.db')).mode & 0o777, 0o600)
  const health = (await (await fetch(`${url}/_pinhole/health`)).json()) as { nodes: unknown[] }
  assert.equal(health.nodes.length, 1)
})

test('a second hub on the same folder is refused, and the first goes on', async (t) => {
  const { url, config, basedir } = await open(t, { services: [paid('127.0.0.1:9', 7)] })
  const clock = new ManualClock()
  const second = createHub(config({ services: [paid('127.0.0.1:9', 7)] }), {
    nodes: node().source,
    clock,
  })
  const refused = assert.rejects(second.listen(), (error: unknown) => {
    return isPinholeError(error, 'ERR_STORE_IN_USE') && error.message.includes(basedir)
  })
  clock.advance(60_000)
  await refused
  assert.equal(await priceAt(url), Number(7n * SAT))
})

test('a new configuration is for the next request; a stream under way goes on', async (t) => {
  const { address, end } = await upstream(t)
  const free = { name: 'free', address, pathregexp: '^/stream$', auth: 'off' }
  const { hub, url, config, preimages } = await open(t, { services: [free, paid(address, 7)] })
  const stream = await fetch(`${url}/stream`)
  const authorization = await buy(url, preimages)
  // The stream's service is gone, the price is another.
  hub.reload(config({ services: [{ ...paid(address, 9), pathregexp: '^/' }] }))
  assert.equal(await priceAt(url), Number(9n * SAT))
  assert.equal((await fetch(`${url}/stream`)).status, 402)
  assert.equal((await fetch(url, { headers: { authorization } })).status, 200)
  end()
  assert.equal(await stream.text(), 'first last')
  // Blocked from the next request on.
  hub.reload(config({ services: [paid(address, 9)], blocklist: ['127.0.0.1'] }))
  assert.equal((await fetch(url)).status, 403)
  assert.equal((await fetch(`${url}/_pinhole/health`)).status, 403)
  assert.equal((await fetch(`${url}/_pinhole/pay/x`, { method: 'POST' })).status, 403)
})

test('the payment page waits for a form no longer than for any body of the hub’s own', async (t) => {
  const { url } = await open(t, { services: [paid('127.0.0.1:1', 7)], readtimeout: '20ms' })
  const request = http.request(`${url}/_pinhole/pay/x`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'content-length': 10 },
  })
  request.on('error', () => {}).write('a=')
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  assert.equal(response.statusCode, 408)
  request.destroy()
})

test('a configuration that is wrong is refused whole', async (t) => {
  const { address } = await upstream(t)
  const { hub, url, config } = await open(t, { services: [paid(address, 7)] })
  const wrong = [paid(address, 9), { name: 'other', address, pathregexp: '(' }]
  assert.throws(
    () => hub.reload(config({ services: wrong })),
    (error) => isPinholeError(error, 'ERR_CONFIG_VALUE') && error.message.includes('"other"'),
  )
  assert.equal(await priceAt(url), Number(7n * SAT))
})

test('a service whose price is to come from elsewhere answers 500, and says so at the start', async (t) => {
  const { address } = await upstream(t)
  const dynamicprice = { enabled: true, grpcaddress: '127.0.0.1:1', insecure: true }
  const { url } = await open(t, { services: [{ ...paid(address, 7), dynamicprice }] })
  const answer = await fetch(url)
  assert.deepEqual([answer.status, await answer.text()], [500, 'failure fetching resource price\n'])
})
