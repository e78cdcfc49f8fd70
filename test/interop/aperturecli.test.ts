/**
 * Every command of aperturecli v0.5.0, unmodified, against an Aperture and against a hub of the same configuration
 * that sold the same: they print the same and end alike, but for the differences that docs/aperture.md names.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { createHub, loadConfig } from '../../src/index.ts'
import { bakeAdminMacaroon } from '../../src/admin/key-files.ts'
import { get } from '../aperture/cases/request.ts'
import { exchange } from '../aperture/exchange.ts'
import { intendedDifferences, partsFor } from '../aperture/intended.ts'
import { CALLS, COMMANDS, type Means } from './aperturecli/commands.ts'
import { differences } from './aperturecli/normal.ts'
import { operate, type Operated } from './aperturecli/paywalls.ts'
import { aperturecli, rest, run } from './aperturecli/run.ts'
import { buy } from './paywalls.ts'
import { requirePeers } from './peers.ts'
import { startSimnet, type Simnet } from './simnet.ts'
import { Undo } from './undo.ts'

const SETTLE_MS = 15_000
/** Both list by the second in which an offer was made. */
const NEXT_SECOND_MS = 1_050

const Tokens = z.object({
  tokens: z.array(z.object({ serviceName: z.string(), tokenId: z.string() })),
})

/** Two tokens sold and one not paid for. */
async function sell(at: Operated, simnet: Simnet): Promise<Means> {
  const pay = (invoice: string) => simnet.pay(invoice)
  for (const target of ['/weather', '/news']) {
    await buy(at.port, get(target), pay)
    await sleep(NEXT_SECOND_MS)
  }
  await exchange(at.port, get('/weather/unpaid'))
  const macaroon = path.join(at.folder, 'admin.macaroon')
  const ask = [
    '--insecure',
    `--host=127.0.0.1:${at.port}`,
    '--macaroon',
    macaroon,
    'tokens',
    'list',
  ]
  const deadline = performance.now() + SETTLE_MS
  for (;;) {
    const { tokens } = Tokens.parse(JSON.parse((await aperturecli(ask)).stdout))
    const id = (name: string) => tokens.find(({ serviceName }) => serviceName === name)?.tokenId
    const [weather, news] = [id('weather'), id('news')]
    if (weather !== undefined && news !== undefined) return { weather, news }
    assert.ok(performance.now() < deadline, 'the sales were not told of')
    await sleep(50)
  }
}

/** What is wrong with the differences `lines` of one question. */
function faultsOf(id: string, lines: readonly string[], heading: string): string[] {
  const { allowed, named } = partsFor(id, intendedDifferences(heading))
  const unwanted = lines.filter((line) => !allowed.some((part) => part.test(line)))
  const alike = named.length > 0 && !lines.some((line) => named.some((part) => part.test(line)))
  if (unwanted.length > 0) return [`${id}\n    ${unwanted.join('\n    ')}`]
  return alike ? [`${id}: a difference is intended, but there is none`] : []
}

test('aperturecli finds at a hub what it finds at an Aperture', async (t) => {
  if (!requirePeers(t, 'aperture', 'aperturecli', 'lnd', 'btcd')) return
  const undo = new Undo(t)
  const simnet = await startSimnet()
  undo.push(() => simnet.stop())
  const start = async (maker: 'go' | 'pinhole') => {
    const at = await operate(maker, simnet.payee)
    undo.push(() => at.stop())
    await writeFile(path.join(at.folder, 'other.macaroon'), bakeAdminMacaroon(OTHER_KEY, []))
    return { at, means: await sell(at, simnet) }
  }
  const aperture = await start('go')
  const pinhole = await start('pinhole')
  const faults: string[] = []
  let equal = 0
  const compare = async (id: string, ask: (one: typeof aperture) => Promise<unknown>) => {
    const [theirs, ours] = await Promise.all([ask(aperture), ask(pinhole)])
    const lines = differences(theirs, ours, id.startsWith('rest.'))
    if (lines.length === 0) equal++
    faults.push(...faultsOf(id, lines, 'The admin API'))
  }
  for (const call of CALLS) await compare(call.id, ({ at }) => rest(at, call))
  for (const command of COMMANDS) {
    await compare(command.id, ({ at, means }) => run(at, command, means))
  }
  console.error(`# ${CALLS.length} calls, ${COMMANDS.length} commands, ${equal} came out alike`)
  assert.equal(faults.length, 0, `\n${faults.join('\n')}`)
})

const OTHER_KEY = new Uint8Array(32).fill(7)

test('aperturecli trusts the certificate of a hub that it is given', async (t) => {
  if (!requirePeers(t, 'aperturecli')) return
  const basedir = await mkdtemp(path.join(tmpdir(), 'pinhole-operated-'))
  const undo = new Undo(t)
  undo.push(() => rm(basedir, { recursive: true, force: true }))
  const values = { listenaddr: 'localhost:0', admin: { enabled: true } }
  const hub = createHub(loadConfig({ basedir, configfile: false, values }))
  undo.push(() => hub.close())
  const { port } = new URL(await hub.listen())
  const macaroon = ['--macaroon', path.join(basedir, 'admin.macaroon')]
  const ask = (...args: string[]) =>
    aperturecli([`--host=localhost:${port}`, ...macaroon, '--human', 'info', ...args])
  const { exit, stdout, stderr } = await ask('--tls-cert', path.join(basedir, 'tls.cert'))
  assert.deepEqual([exit, stderr], [0, ''])
  assert.match(stdout, /Insecure: +false/)
  assert.equal((await ask()).exit, 3)
})
