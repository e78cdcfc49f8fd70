/**
 * Aperture v0.5.0 and Pinhole under one configuration, on one lnd: asked the same, they answer the same,
 * but for the differences that docs/aperture.md names.
 */
import assert from 'node:assert/strict'
import test from 'node:test'
import { startBackends } from '../aperture/backends.ts'
import { CASES } from '../aperture/cases.ts'
import type { Means } from '../aperture/cases/request.ts'
import type { Request } from '../aperture/exchange.ts'
import { ask, differences, type Proxy } from '../aperture/compare.ts'
import { intendedDifferences, partsFor } from '../aperture/intended.ts'
import { buy, startPaywall } from './paywalls.ts'
import { requirePeers } from './peers.ts'
import { startSimnet, type Simnet } from './simnet.ts'
import { Undo } from './undo.ts'

const LEAST_CASES = 80

const get = (target: string): Request => ({
  by: 'http1',
  method: 'GET',
  target,
  headers: [['Host', 'self.test']],
})
const call = (target: string): Request => ({ by: 'grpc', target, metadata: [], messages: ['x'] })

async function tokens(port: number, simnet: Simnet): Promise<Means> {
  const pay = (invoice: string) => simnet.pay(invoice)
  return {
    paid: await buy(port, get('/paid/buy'), pay),
    second: await buy(port, get('/second/buy'), pay),
    grpcpaid: await buy(port, call('/dt.Paid/Unary'), pay),
  }
}

test('Pinhole answers as Aperture does, but for what is intended', async (t) => {
  if (!requirePeers(t, 'aperture', 'lnd', 'btcd')) return
  assert.ok(CASES.length >= LEAST_CASES)
  const undo = new Undo(t)
  const simnet = await startSimnet()
  undo.push(() => simnet.stop())
  const backends = await startBackends()
  undo.push(() => backends.close())
  const proxies: Proxy[] = []
  for (const maker of ['go', 'pinhole'] as const) {
    const paywall = await startPaywall(maker, simnet.payee, backends)
    undo.push(() => paywall.stop())
    proxies.push({ places: paywall.places, means: await tokens(paywall.places.port, simnet) })
  }
  const [aperture, pinhole] = proxies
  assert.ok(aperture && pinhole)
  const rows = intendedDifferences()
  const faults: string[] = []
  let equal = 0
  for (const one of CASES) {
    const lines = differences(await ask(aperture, one), await ask(pinhole, one))
    const { allowed, named } = partsFor(one.id, rows)
    const unwanted = lines.filter((line) => !allowed.some((part) => part.test(line)))
    if (unwanted.length > 0) faults.push(`${one.id}\n    ${unwanted.join('\n    ')}`)
    const alike = named.length > 0 && !lines.some((line) => named.some((part) => part.test(line)))
    if (alike) faults.push(`${one.id}: a difference is intended, but there is none`)
    if (lines.length === 0) equal++
  }
  console.error(`# ${CASES.length} requests, ${equal} answered alike in every part`)
  assert.equal(faults.length, 0, `\n${faults.join('\n')}`)
})
