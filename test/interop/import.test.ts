/**
 * From an Aperture to a hub, as docs/aperture.md says: the same `aperture.yaml`, whose database is Aperture's own,
 * and `pinhole import`. What was bought from the one opens at the other.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test from 'node:test'
import { z } from 'zod'
import { openStore } from '../../src/store/store.ts'
import { startBackends } from '../aperture/backends.ts'
import { get, grpc, l402, type Token } from '../aperture/cases/request.ts'
import { exchange } from '../aperture/exchange.ts'
import { buy, startPaywall } from './paywalls.ts'
import { requirePeers } from './peers.ts'
import { pinhole } from './pinhole.ts'
import { startSimnet } from './simnet.ts'
import { Undo } from './undo.ts'

const IMPORT_MS = 30_000
/** The services and their prices in test/aperture/config.ts. */
const SOLD = { paid: 10_000n, second: 7_000n, grpcpaid: 5_000n, wl: 4_000n }

/** Three bought, one not paid, and one for a token that is another service's. */
const OFFERS = 5

const Imported = z.object({ database: z.string(), secrets: z.number(), transactions: z.number() })

type Tokens = Readonly<Record<'paid' | 'second' | 'grpcpaid', Token>>

/** Status of each token's request; gRPC's as a negative number. */
async function statuses(port: number, tokens: Tokens): Promise<number[]> {
  const authorization = (token: Token) => [['Authorization', l402(token)]] as const
  const call = grpc('/dt.Paid/Unary', ['x'], [['authorization', l402(tokens.grpcpaid)]])
  const { headers, trailers } = await exchange(port, call)
  const [code] = trailers['grpc-status'] ?? headers['grpc-status'] ?? []
  return [
    (await exchange(port, get('/paid/x', authorization(tokens.paid)))).status,
    (await exchange(port, get('/second/x', authorization(tokens.second)))).status,
    (await exchange(port, get('/second/x', authorization(tokens.paid)))).status,
    -Number(code),
  ]
}
const OPEN = [200, 200, 402, -0]
const SHUT = [402, 402, 402, -13]

/** Runs `pinhole import` with these arguments. */
async function runImport(args: readonly string[]): Promise<z.infer<typeof Imported>> {
  const process = pinhole('import', ...args)
  const line = await process.lineWith('database', IMPORT_MS)
  await process.stop()
  return Imported.parse(line)
}

/** The arguments of the command that the hub said is to be run. */
function adviceIn(stderr: string): readonly string[] {
  const [, args] = /and run pinhole import ([^"\n]+)/.exec(stderr) ?? []
  assert.ok(args !== undefined, stderr)
  return args.split(' ')
}

test('a hub takes over from an Aperture with its configuration and its database', async (t) => {
  if (!requirePeers(t, 'aperture', 'lnd', 'btcd')) return
  const undo = new Undo(t)
  const simnet = await startSimnet()
  undo.push(() => simnet.stop())
  const backends = await startBackends()
  undo.push(() => backends.close())
  const folder = await mkdtemp(path.join(tmpdir(), 'pinhole-import-'))
  undo.push(() => rm(folder, { recursive: true }))
  const start = async (maker: 'go' | 'pinhole') => {
    const paywall = await startPaywall(maker, simnet.payee, backends, folder)
    undo.push(() => paywall.stop())
    return { paywall, port: paywall.places.port }
  }
  const pay = (invoice: string) => simnet.pay(invoice)

  const aperture = await start('go')
  const tokens = {
    paid: await buy(aperture.port, get('/paid/buy'), pay),
    second: await buy(aperture.port, get('/second/buy'), pay),
    grpcpaid: await buy(aperture.port, grpc('/dt.Paid/Unary', ['x']), pay),
  }
  assert.equal((await exchange(aperture.port, get('/wl/unpaid'))).status, 402)
  assert.deepEqual(await statuses(aperture.port, tokens), OPEN)
  await aperture.paywall.stop()
  const theirs = path.join(folder, 'tokens.db')
  const digest = async () =>
    createHash('sha256')
      .update(await readFile(theirs))
      .digest('hex')
  const before = await digest()

  const early = await start('pinhole')
  assert.deepEqual(await statuses(early.port, tokens), SHUT)
  await early.paywall.stop()
  const report = await runImport(adviceIn(early.paywall.process.stderr))
  assert.equal(report.database, path.join(folder, 'pinhole.db'))
  assert.equal(report.secrets, OFFERS)
  assert.equal(report.transactions, OFFERS)

  const late = await start('pinhole')
  assert.deepEqual(await statuses(late.port, tokens), OPEN)
  const fresh = await buy(late.port, get('/paid/buy'), pay)
  assert.deepEqual(await statuses(late.port, { ...tokens, paid: fresh }), OPEN)
  await late.paywall.stop()

  assert.equal(await digest(), before, "Aperture's file is only read")
  assert.ok(!existsSync(`${theirs}-wal`))
  const store = openStore(report.database)
  undo.push(() => store.close())
  const rows = store.transactions.list().filter(({ imported }) => imported)
  assert.deepEqual(Object.fromEntries(rows.map((row) => [row.service, row.priceMsat])), SOLD)
  assert.ok(rows.every(({ valid, tokenId }) => valid && tokenId?.length === 32))
  for (const { preimage } of Object.values(tokens)) {
    const hash = createHash('sha256').update(Buffer.from(preimage, 'hex')).digest('hex')
    assert.ok(rows.some(({ paymentHash }) => Buffer.from(paymentHash).toString('hex') === hash))
  }
})
