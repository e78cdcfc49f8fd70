/**
 * A person's first run with real nodes: from an empty hub to a sold request, by an lnd behind `pinhole agent` that waits
 * at the hub's own relay, and another lnd with a channel to it that pays.
 */
import assert from 'node:assert/strict'
import test from 'node:test'
import { Agent } from '../interop/agent.ts'
import { requirePeers } from '../interop/peers.ts'
import { type Simnet, startSimnet } from '../interop/simnet.ts'
import { Undo } from '../interop/undo.ts'
import { adminHub } from '../admin/hub.ts'
import { launchChromium, requireChromium } from '../system/chromium.ts'
import { assertFits, logIn, openWindow, picture, prepare, SIZES, startApi } from './window.ts'

/** Of the service. */
const PRICE_SATS = 21
/** A payment and its news, on a machine that is busy. */
const PAYMENT_MS = 30_000

async function startNetwork(undo: Undo): Promise<Simnet> {
  const simnet = await startSimnet()
  undo.push(() => simnet.stop())
  return simnet
}

test('first run with a real lnd in the browser', { timeout: 120_000 }, async (t) => {
  if (!requireChromium(t) || !requirePeers(t, 'lnd', 'btcd')) return
  prepare()
  const undo = new Undo(t)
  const [simnet, hub, api, browser] = await Promise.all([
    startNetwork(undo),
    adminHub(t, { hashmail: { enabled: true }, authenticator: { network: 'simnet' } }),
    startApi(t),
    launchChromium(t),
  ])
  const { url, call } = hub
  const agent = await Agent.start(simnet.payee, { address: url }, 'admin')
  undo.push(() => agent.stop())
  const { context, page, problems } = await openWindow(t, browser, SIZES.narrow)
  undo.push(() => context.close())
  await logIn(page, hub)
  await page.getByRole('link', { name: 'Set the hub up in three steps.' }).click()

  await t.test('the node is paired by its words', async () => {
    await page.getByLabel('Pairing phrase').fill(agent.phrase)
    await page.getByText('Relay and name').click()
    await page.getByLabel('Relay', { exact: true }).fill(url)
    await page.getByRole('button', { name: 'Pair', exact: true }).click()
    const report = page.getByRole('status').filter({ hasText: 'on simnet' })
    await report.getByText('payee').waitFor()
    const { identity_pubkey: pubkey } = await simnet.payee.info()
    await report.getByText(pubkey).waitFor()
    assert.equal(await report.getByText('missing').count(), 0)
    assert.match(await report.innerText(), /It can receive 9\d\d,\d{3} sat/)
  })

  await t.test('an API is added and tried: the 402 is shown', async () => {
    await page.getByLabel('Upstream address').fill(api)
    await page.getByText('It answers with status 200').waitFor()
    await page.getByLabel('Name', { exact: true }).fill('weather')
    await page.getByLabel('Price', { exact: true }).fill(String(PRICE_SATS))
    await page.getByRole('button', { name: 'Add the API' }).click()
    await page.getByRole('button', { name: 'Ask without paying' }).click()
    await page.getByText('The answer has status 402').waitFor()
    await page.getByRole('img', { name: 'Invoice as QR code' }).waitFor()
    await assertFits(page, 'real-node-402')
  })

  await t.test('it is paid from the other node, and the paid answer is shown', async () => {
    const invoice = await page.getByRole('region', { name: 'Invoice', exact: true }).innerText()
    assert.match(invoice, /^lnsb210n1/)
    await simnet.pay(invoice.trim())
    await page.getByText('The answer has status 200').waitFor({ timeout: PAYMENT_MS })
    await page.getByText('"weather":"fair"').waitFor()
    await picture(page, 'real-node-paid')
    const { body } = await call('GET', '/stats')
    assert.deepEqual([body.transaction_count, body.total_revenue_sats], ['1', String(PRICE_SATS)])
    assert.deepEqual(problems, [])
  })
})
