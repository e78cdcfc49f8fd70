/**
 * Buyers that others wrote, at a hub on a real lnd: the interceptors of Aperture's l402 package over gRPC,
 * `@getalby/lightning-tools`, `lsat-js` and a shell with curl over HTTP. All pay from the payer's lnd.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test from 'node:test'
import { promisify } from 'node:util'
import { fetchWithL402 } from '@getalby/lightning-tools/402/l402'
import { Caveat, Lsat } from 'lsat-js'
import { z } from 'zod'
import { startBackends } from '../aperture/backends.ts'
import { LineProcess, type Line } from './line-process.ts'
import { startPaywall } from './paywalls.ts'
import { peerBinary, requirePeers } from './peers.ts'
import { startSimnet, type Simnet } from './simnet.ts'
import { Undo } from './undo.ts'

const BUYER_MS = 60_000
/** Prices of the services, in satoshis (test/aperture/config.ts). */
const PRICE = { grpcpaid: 5, paid: 10, wl: 4 }

const Payments = z.object({ payments: z.array(z.object({ value_sat: z.string() })) })
const Saw = z.object({
  backend_saw: z.object({ target: z.string(), headers: z.record(z.string(), z.unknown()) }),
})

interface Stage {
  readonly simnet: Simnet
  readonly port: number
  /** Path at the paywall, as a URL. */
  readonly url: (target: string) => string
  readonly folder: string
}

/** What the payer has paid so far, oldest first, in satoshis. */
async function payments({ payer }: Simnet): Promise<number[]> {
  const { payments } = Payments.parse(await payer.rest('GET', '/v1/payments'))
  return payments.map(({ value_sat }) => Number(value_sat))
}

/** What `buys` pays, in satoshis. */
async function paidFor({ simnet }: Stage, buys: () => Promise<void>): Promise<number[]> {
  const before = await payments(simnet)
  await buys()
  return (await payments(simnet)).slice(before.length)
}

/** Checks that the upstream was reached, for a buyer, and without his credential. */
function assertSold(body: string, target: string): void {
  const { backend_saw: saw } = Saw.parse(JSON.parse(body))
  assert.equal(saw.target, target)
  assert.ok('x-pinhole-token-id' in saw.headers)
  assert.ok(!('authorization' in saw.headers))
}

/** Two unary calls and two streams of the Go buyer, in that order by turns: the lines it printed. */
async function goBuyer({ simnet, port }: Stage, store: string): Promise<readonly Line[]> {
  const { payer } = simnet
  const args = [
    ...['--target', `127.0.0.1:${port}`, '--method', '/dt.Paid/Unary', '--store', store],
    ...['--lnd', payer.grpcHost, '--tls', payer.tlsCertPath],
    ...['--macaroon', payer.macaroonPath('admin')],
  ]
  const buyer = new LineProcess({ name: 'l402-buyer', command: peerBinary('l402-buyer'), args })
  try {
    await Promise.race([buyer.event('done', BUYER_MS), failed(buyer)])
  } finally {
    await buyer.stop()
  }
  return buyer.events
}

async function failed(buyer: LineProcess): Promise<never> {
  const { error } = await buyer.event('failed', BUYER_MS)
  throw new Error(`the buyer failed: ${error ?? ''}`)
}

const kinds = (lines: readonly Line[]) =>
  lines.filter(({ event }) => event === 'call').map((line) => line['kind'])
const tokens = (lines: readonly Line[]) => lines.filter(({ event }) => event === 'token')

async function buyByGo(stage: Stage): Promise<void> {
  const store = path.join(stage.folder, 'go')
  let first: readonly Line[] = []
  const paid = await paidFor(stage, async () => {
    first = await goBuyer(stage, store)
  })
  assert.deepEqual(kinds(first), ['unary', 'stream', 'unary', 'stream'])
  assert.deepEqual(paid, [PRICE.grpcpaid])
  assert.equal(tokens(first).length, 1)
  assert.equal(tokens(first)[0]?.['paidMsat'], PRICE.grpcpaid * 1000)
  const again = await paidFor(stage, async () => {
    const second = await goBuyer(stage, store)
    assert.deepEqual(kinds(second), kinds(first))
    assert.deepEqual(tokens(second), tokens(first))
  })
  assert.deepEqual(again, [], 'the stored token is used again')
}

async function buyByLightningTools(stage: Stage): Promise<void> {
  const wallet = {
    payInvoice: async ({ invoice }: { invoice: string }) => ({
      preimage: await stage.simnet.pay(invoice),
    }),
  }
  const paid = await paidFor(stage, async () => {
    const first = await fetchWithL402(stage.url('/paid/alby'), {}, { wallet })
    assert.equal(first.status, 200)
    assertSold(await first.text(), '/paid/alby')
    const credentials = first.payment?.credentials
    assert.ok(credentials)
    const second = await fetchWithL402(stage.url('/paid/again'), {}, { wallet, credentials })
    assertSold(await second.text(), '/paid/again')
  })
  assert.deepEqual(paid, [PRICE.paid])
}

/**
 * lsat-js names simnet to its decoder of invoices by less than this wants since its version 1.3; without a
 * name the decoder knows simnet by itself.
 */
function letLsatJsReadSimnet(): void {
  const bolt11 = createRequire(import.meta.resolve('lsat-js'))('bolt11') as {
    decode: (invoice: string) => unknown
  }
  const { decode } = bolt11
  bolt11.decode = (invoice) => decode(invoice)
}

/** The LSAT line of a 402, as `lsat-js` wants it. */
async function lsatLine(url: string): Promise<string> {
  const { status, headers } = await fetch(url)
  assert.equal(status, 402)
  // Fetch joins the lines; the older scheme comes first.
  const [line = ''] = (headers.get('www-authenticate') ?? '').split(', L402 ')
  return line
}

async function buyByLsatJs(stage: Stage): Promise<void> {
  letLsatJsReadSimnet()
  const show = async (lsat: Lsat, target: string) => {
    const answer = await fetch(stage.url(target), { headers: { authorization: lsat.toToken() } })
    return { status: answer.status, body: await answer.text() }
  }
  const paid = await paidFor(stage, async () => {
    const lsat = Lsat.fromHeader(await lsatLine(stage.url('/wl/lsat')))
    assert.equal(lsat.invoiceAmount, PRICE.wl)
    assert.deepEqual(lsat.getCaveats().map((caveat) => caveat.encode())[0], 'services=wl:0')
    lsat.setPreimage(await stage.simnet.pay(lsat.invoice))
    assert.ok(lsat.isSatisfied())
    assertSold((await show(lsat, '/wl/lsat')).body, '/wl/lsat')
    // What it attenuates is honoured. One caveat at a time: past 200 bytes macaroon 3.0.4 writes nothing.
    for (const [seconds, status] of [
      [60, 200],
      [-60, 402],
    ] as const) {
      const narrowed = Lsat.fromToken(lsat.toToken())
      const value = Math.floor(Date.now() / 1000) + seconds
      narrowed.addFirstPartyCaveat(new Caveat({ condition: 'wl_valid_until', value }))
      assert.equal((await show(narrowed, '/wl/lsat')).status, status)
    }
  })
  assert.deepEqual(paid, [PRICE.wl])
}

async function buyByShell(stage: Stage): Promise<void> {
  const curl = async (...args: string[]) =>
    (await promisify(execFile)('curl', ['-s', '--max-time', '10', ...args])).stdout
  const url = stage.url('/paid/shell')
  const head = await curl('-o', '/dev/null', '-D', '-', url)
  assert.match(head, /^HTTP\/1\.1 402 Payment Required\r$/m)
  // As by sed: the quoted parts of the L402 line.
  const [, macaroon, invoice] =
    /^www-authenticate: L402 macaroon="([^"]+)", invoice="([^"]+)"/im.exec(head) ?? []
  assert.ok(macaroon !== undefined && invoice !== undefined, head)
  const preimage = await stage.simnet.pay(invoice)
  const body = await curl('-H', `Authorization: L402 ${macaroon}:${preimage}`, url)
  assertSold(body, '/paid/shell')
  const body2 = await curl(
    ...['--http2-prior-knowledge', '-H', `Authorization: L402 ${macaroon}:${preimage}`, url],
  )
  assertSold(body2, '/paid/shell')
}

test('buyers that others wrote buy from a hub', async (t) => {
  if (!requirePeers(t, 'l402-buyer', 'lnd', 'btcd')) return
  const undo = new Undo(t)
  const simnet = await startSimnet()
  undo.push(() => simnet.stop())
  const backends = await startBackends()
  undo.push(() => backends.close())
  const paywall = await startPaywall('pinhole', simnet.payee, backends)
  undo.push(() => paywall.stop())
  const folder = await mkdtemp(path.join(tmpdir(), 'pinhole-buyers-'))
  undo.push(() => rm(folder, { recursive: true }))
  const { port } = paywall.places
  const stage = {
    simnet,
    port,
    folder,
    url: (target: string) => `http://127.0.0.1:${port}${target}`,
  }
  await t.test("Aperture's l402 package, unary and streaming gRPC", () => buyByGo(stage))
  await t.test('@getalby/lightning-tools', () => buyByLightningTools(stage))
  await t.test('lsat-js', () => buyByLsatJs(stage))
  await t.test('curl', () => buyByShell(stage))
})
