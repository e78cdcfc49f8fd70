import assert from 'node:assert/strict'
import test from 'node:test'
import { create, toBinary } from '@bufbuild/protobuf'
import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire'
import { fromHex } from '../../src/base/bytes.ts'
import { PinholeError } from '../../src/base/errors.ts'
import type { DoctorNode } from '../../src/doctor/check.ts'
import { liquidityCheck } from '../../src/doctor/liquidity.ts'
import { LIST_INVOICES } from '../../src/doctor/node-invoices.ts'
import { permissionsCheck } from '../../src/doctor/permissions.ts'
import { type Ledger, reconcileCheck, type Sale } from '../../src/doctor/reconcile.ts'
import { PAYING, SELLING } from '../../src/nodes/permissions.ts'
import type { SurveyedNode } from '../../src/nodes/survey.ts'
import { InvoiceSchema, Invoice_InvoiceState } from '../../mailbox/rpc/gen/lightning_pb.ts'
import { findingsOf } from '../../src/doctor/doctor.ts'
import { found, patient } from './patient.ts'

const survey = (more: Partial<SurveyedNode> = {}): SurveyedNode => ({
  name: 'bob',
  identity: undefined,
  mailbox: 'relay.example:443',
  insecureTls: false,
  expiresAt: undefined,
  latencyMs: 1,
  receivableMsat: 1_000_000_000n,
  permissions: [
    ...SELLING.map((method) => ({ method, purpose: 'sell' as const, allowed: true })),
    ...PAYING.map((method) => ({ method, purpose: 'pay' as const, allowed: true })),
  ],
  ...more,
})

const node = (more: Partial<DoctorNode> = {}, said: Partial<SurveyedNode> = {}): DoctorNode => ({
  name: 'bob',
  kind: 'lnc',
  state: 'ready',
  reason: '',
  subscribed: true,
  survey: async () => survey(said),
  rpc: () => undefined,
  ...more,
})

test('permissions: what to do about a node that is away is what its kind has', async (t) => {
  const nodes = [node({ state: 'away' }), node({ state: 'away', kind: 'lnd' })]
  const [relayed, direct] = await findingsOf(permissionsCheck, patient(t, {}, { nodes }))
  assert.match(relayed?.advice ?? '', /relay.*revoked.*node remove bob.*pair --name bob/)
  assert.match(direct?.advice ?? '', /lndhost.*tlspath.*macdir/)
})

test('permissions: a node that may do all, and nodes that may not', async (t) => {
  const texts = (...nodes: DoctorNode[]) => found(permissionsCheck, patient(t, {}, { nodes }))
  assert.match((await found(permissionsCheck, patient(t))).join(), /^skipped: the nodes cannot/)
  assert.match((await texts()).join(), /^skipped: no node/)
  assert.match((await texts(node())).join(), /^ok: bob: selling: GetInfo, AddInvoice/)

  const without = survey().permissions.map((one) => ({
    ...one,
    allowed: one.method !== SELLING[1],
  }))
  const [lacking] = await findingsOf(
    permissionsCheck,
    patient(t, {}, { nodes: [node({}, { permissions: without })] }),
  )
  assert.equal(lacking?.level, 'error')
  assert.match(lacking?.text ?? '', /missing: AddInvoice/)
  assert.match(
    lacking?.advice ?? '',
    /litcli sessions add .*--mailboxserveraddr relay.example:443/s,
  )

  const offline = new PinholeError('ERR_NODE_OFFLINE', 'it is gone')
  assert.deepEqual(
    await texts(
      node({ state: 'away', reason: 'revoked' }),
      node({ state: 'connecting' }),
      node({ subscribed: false }, { expiresAt: new Date(Date.now() + 3_600_000) }),
      node({ subscribed: false, reason: 'wallet locked' }),
      node({ reason: 'the node is on another network' }),
      node({ survey: () => Promise.reject(offline) }),
    ).then((all) => all.map((text) => text.replace(/(ends at|selling:).*/, '$1'))),
    [
      'error: bob: it is away: revoked',
      'warning: bob: it is being connected to (it does not answer)',
      'ok: bob: selling:',
      'warning: bob: its payments are not heard at the moment',
      'warning: bob: its session ends at',
      'ok: bob: selling:',
      'warning: bob: its payments are not heard at the moment: wallet locked',
      'ok: bob: selling:',
      'error: bob: the node is on another network',
      'error: bob: it is gone',
    ],
  )
})

test('permissions: a service whose node is not paired cannot be bought', async (t) => {
  const address = 'localhost:9'
  const services = [
    { name: 'first', address, price: 1 },
    { name: 'mine', address, price: 1, node: 'bob' },
    { name: 'lost', address, price: 1, node: 'alice' },
    { name: 'free', address, node: 'alice', auth: 'off' },
  ]
  const of = (...nodes: DoctorNode[]) =>
    found(permissionsCheck, patient(t, { services }, { nodes })).then((all) => all.slice(1))
  const lost = 'error: lost is paid to the node alice, which is not paired'
  assert.deepEqual(await of(node()), [lost])
  assert.deepEqual(await of(), [lost.replace('lost', 'mine').replace('alice', 'bob'), lost])
})

test('liquidity: measured by the highest price that the node is paid', async (t) => {
  const services = [
    { name: 'cheap', address: 'localhost:9', price: 10 },
    { name: 'dear', address: 'localhost:9', price: 1_000, node: 'alice' },
    { name: 'free', address: 'localhost:9', price: 90_000, auth: 'off' },
  ]
  const level = async (...nodes: DoctorNode[]) => {
    const findings = await findingsOf(liquidityCheck, patient(t, { services }, { nodes }))
    return findings.map((finding) => finding.level)
  }
  const has = (receivableMsat: bigint | undefined, name = 'bob') =>
    node({ name }, { receivableMsat })
  assert.deepEqual(await level(), ['skipped'])
  assert.deepEqual(await level(has(undefined)), ['skipped'])
  assert.deepEqual(await level(has(0n)), ['error'])
  assert.deepEqual(await level(has(9_999n)), ['error'])
  assert.deepEqual(await level(has(10_000n)), ['warning'])
  assert.deepEqual(await level(has(200_000n)), ['ok'])
  assert.deepEqual(await level(has(200_000n), has(200_000n, 'alice')), ['ok', 'error'])
})

const hash = (byte: number) => new Uint8Array(32).fill(byte)

const sale = (byte: number, more: Partial<Sale> = {}): Sale => ({
  state: 'settled',
  paymentHash: hash(byte),
  priceMsat: 5_000n,
  imported: false,
  ...more,
})

/** A ledger of `sales`, by what the check asks of one. */
const ledgerOf = (sales: readonly Sale[]): Ledger => ({
  list: ({ state, search }, { limit = 100, offset = 0 }) =>
    sales
      .filter((one) => state === undefined || one.state === state)
      .filter(
        (one) =>
          search === undefined || Buffer.from(one.paymentHash).equals(fromHex(search) ?? hash(0)),
      )
      .slice(offset, offset + limit),
})

const { OPEN, SETTLED } = Invoice_InvoiceState
type Invoiced = readonly [byte: number, msat: bigint, state?: Invoice_InvoiceState]

/** What a node with these invoices answers, two at a time. */
const listing = (invoices: readonly Invoiced[]) => ({
  unary: async (path: string, request: Uint8Array) => {
    assert.equal(path, LIST_INVOICES)
    const reader = new BinaryReader(request)
    let offset = 0
    while (reader.pos < reader.len) {
      const [field, type] = reader.tag()
      if (field === 4) offset = Number(reader.uint64())
      else reader.skip(type)
    }
    const page = new BinaryWriter()
    const shown = invoices.slice(offset, offset + 2)
    for (const [byte, amtPaidMsat, state = SETTLED] of shown) {
      const invoice = create(InvoiceSchema, { rHash: hash(byte), amtPaidMsat, state })
      page.tag(1, 2).bytes(toBinary(InvoiceSchema, invoice))
    }
    page.tag(2, 0).uint64(offset + shown.length)
    page.tag(3, 0).uint64(offset + 1)
    return page.finish()
  },
})

const received = (name: string, ...invoices: Invoiced[]) =>
  node({ name, rpc: () => listing(invoices) })

test('reconcile: ledger and nodes agree, over pages, several nodes and foreign payments', async (t) => {
  const sales = [
    sale(1),
    sale(2),
    sale(3),
    sale(4, { state: 'pending' }),
    sale(9, { imported: true }),
  ]
  const nodes = [
    received('bob', [1, 5_000n], [7, 100n], [4, 0n, OPEN], [2, 5_001n]),
    received('alice', [3, 5_000n]),
  ]
  assert.deepEqual(
    await found(reconcileCheck, patient(t, {}, { nodes, ledger: ledgerOf(sales) })),
    [
      'ok: bob: 2 payments, 10000 msat, are in the ledger; 1 more are not of this hub',
      'ok: alice: 1 payments, 5000 msat, are in the ledger',
      'ok: all 3 payments of the ledger, 15000 msat, are at the nodes too',
    ],
  )
})

test('reconcile: what is at one of the two only, or was paid too little', async (t) => {
  const ledger = ledgerOf([sale(1), sale(2), sale(3, { state: 'pending' })])
  const nodes = [received('bob', [1, 4_999n], [3, 5_000n])]
  const texts = await found(reconcileCheck, patient(t, {}, { nodes, ledger }))
  assert.deepEqual(
    texts.map((text) => text.replace(/[0-9a-f]{64}/, 'hash')),
    [
      'error: bob: was paid 4999 msat for hash, sold for 5000 msat',
      'error: bob: was paid 5000 msat for hash, which the ledger has as unpaid',
      'ok: bob: 1 payments, 5000 msat, are in the ledger',
      'warning: 1 payments of the ledger, 5000 msat, are at no node that could be asked, such as hash',
    ],
  )
  const gone = [received('bob', [1, 5_000n])]
  const missing = await found(reconcileCheck, patient(t, {}, { nodes: gone, ledger }))
  assert.match(missing.join('\n'), /error: 1 payments of the ledger, 5000 msat, are at no node/)
})

test('reconcile: a session that may not list invoices is told what is missing', async (t) => {
  const refused = new PinholeError('ERR_NODE_PERMISSION', 'permission denied')
  const nodes = [
    node({ rpc: () => ({ unary: () => Promise.reject(refused) }) }),
    node({ name: 'away' }),
  ]
  const deps = patient(t, {}, { nodes, ledger: ledgerOf([sale(1)]) })
  const findings = await findingsOf(reconcileCheck, deps)
  assert.deepEqual(
    findings.map(({ level }) => level),
    ['warning', 'warning', 'warning'],
  )
  assert.match(findings[0]?.advice ?? '', /\/lnrpc.Lightning\/ListInvoices: --uri/)
  assert.match((await found(reconcileCheck, patient(t))).join(), /^skipped/)
})
