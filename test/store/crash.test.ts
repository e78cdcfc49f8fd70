import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import readline from 'node:readline'
import test from 'node:test'
import { fromHex } from '../../src/base/bytes.ts'
import { openDatabase } from '../../src/store/database.ts'
import { openStore } from '../../src/store/store.ts'
import { fileOf, NODE_ARGS } from '../process.ts'
import { freshFile } from './folder.ts'

const CHILD = fileOf('test/store/crash-child')
const ROUNDS = 3
const LEAST_LINES = 300

/** What the killed processes had promised, all rounds together. */
interface Promised {
  readonly pooled: Set<string>
  /** Payment hash to identifier hash. */
  readonly sold: Map<string, string>
  /** Identifier hash to root key. */
  readonly rootKeys: Map<string, string>
  readonly revoking: Set<string>
  readonly revoked: Set<string>
}

function note(promised: Promised, line: string): void {
  const [what = '', first = '', identifierHash = '', rootKey = ''] = line.split(' ')
  if (what === 'pooled') promised.pooled.add(first)
  if (what === 'revoking') promised.revoking.add(first)
  if (what === 'revoked') promised.revoked.add(first)
  if (what !== 'sold') return
  assert.equal(promised.sold.has(first), false, 'an invoice was given out twice')
  promised.sold.set(first, identifierHash)
  promised.rootKeys.set(identifierHash, rootKey)
}

/** Lets a child sell until it has said `lines` lines, kills it and hears it out. */
async function killAfter(file: string, lines: number, promised: Promised): Promise<void> {
  const child = spawn(process.execPath, [...NODE_ARGS, CHILD, file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let heard = 0
  for await (const line of readline.createInterface({ input: child.stdout })) {
    note(promised, line)
    if (++heard === lines) child.kill('SIGKILL')
  }
  assert.ok(heard >= lines, 'the child ended by itself')
}

function check(file: string, promised: Promised): Promise<void> {
  const database = openDatabase(file)
  assert.equal(database.pragma('integrity_check', { simple: true }), 'ok')
  database.close()
  const store = openStore(file)
  for (const [identifierHash, rootKey] of promised.rootKeys) {
    const found = store.tokens.rootKey(bytes(identifierHash))
    if (promised.revoked.has(identifierHash)) assert.equal(found, undefined, 'a token came back')
    else if (!promised.revoking.has(identifierHash)) {
      assert.ok(found && bytes(rootKey).equals(found), 'an acknowledged key is gone')
    }
  }
  const ready = new Set<string>()
  for (;;) {
    const invoice = store.invoices.take('a', 10_000n, 0)
    if (!invoice) break
    const hash = Buffer.from(invoice.paymentHash).toString('hex')
    assert.equal(promised.sold.has(hash), false, 'a sold invoice is back in the pool')
    ready.add(hash)
  }
  const rows = store.transactions.count()
  assert.ok(rows >= promised.sold.size)
  // What was pooled is ready or sold; the last sales may have been too late to be told.
  const lost = [...promised.pooled].filter((hash) => !ready.has(hash) && !promised.sold.has(hash))
  assert.ok(lost.length <= rows - promised.sold.size, `${lost.length} pooled invoices are gone`)
  return store.close()
}

const bytes = (hex: string) => Buffer.from(fromHex(hex) ?? [])

test('a process killed while it sells has kept every promise, and sells nothing twice', async (t) => {
  const file = freshFile()
  const promised: Promised = {
    pooled: new Set(),
    sold: new Map(),
    rootKeys: new Map(),
    revoking: new Set(),
    revoked: new Set(),
  }
  for (let round = 0; round < ROUNDS; round++) {
    await killAfter(file, LEAST_LINES + Math.floor(Math.random() * LEAST_LINES), promised)
    await check(file, promised)
  }
  t.diagnostic(`${promised.sold.size} sold, ${promised.revoked.size} revoked, ${ROUNDS} kills`)
  assert.ok(promised.pooled.size > 0)
})
