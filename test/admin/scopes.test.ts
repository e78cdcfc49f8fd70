/** Each operation opens for its scope, and for none of the others. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { call, type Desk } from '../../src/admin/call.ts'
import { type OperationName, operations, type Scope } from '../../src/admin/contract.ts'
import { Guard } from '../../src/admin/guard.ts'
import { bakeAdminMacaroon } from '../../src/admin/key-files.ts'
import { toHex } from '../../src/base/bytes.ts'
import { systemClock } from '../../src/base/clock.ts'
import { isPinholeError } from '../../src/base/errors.ts'
import { silentLog } from '../../src/base/log.ts'

/** What needs more than looking. A new operation of the contract is put here, or looks only. */
const NEEDS: Partial<Record<OperationName, Scope>> = {
  getHealth: 'none',
  createService: 'write',
  updateService: 'write',
  deleteService: 'write',
  revokeToken: 'write',
  markTransaction: 'write',
  testUpstream: 'write',
  pairNode: 'write',
  reconnectNode: 'write',
  removeNode: 'write',
  createLoginLink: 'write',
  backup: 'write',
  tryService: 'pay',
}
/** Looks only, though it is not asked by GET. */
const LOOKS: readonly OperationName[] = ['decodeToken', 'testNode', 'validateConfig']

const names = Object.keys(operations) as OperationName[]
const rootKey = new Uint8Array(32).fill(7)
const desk: Desk = {
  operations: Object.fromEntries(names.map((name) => [name, () => Promise.resolve({})])),
  guard: new Guard({ rootKey, clock: systemClock, log: silentLog }),
  log: silentLog,
}

/** What keeps the holder of a macaroon with these caveats from `name`; requests are empty, which is not looked at first. */
async function barred(name: OperationName, caveats: readonly string[] | undefined) {
  const macaroon = caveats && toHex(bakeAdminMacaroon(rootKey, [...caveats]))
  const { signal } = new AbortController()
  try {
    await call(desk, name, {}, { macaroon, address: '192.0.2.1', signal })
  } catch (reason) {
    if (!isPinholeError(reason)) throw reason
    if (reason.code !== 'ERR_ADMIN_REQUEST') return reason.message
  }
  return undefined
}

test('every operation has the scope that it is meant to have', () => {
  for (const name of names) {
    const { scope, method } = operations[name]
    assert.equal(scope, NEEDS[name] ?? 'read', name)
    const looks = method === 'GET' || LOOKS.includes(name)
    assert.equal(scope === 'read' || scope === 'none', looks, `${name} is ${method}`)
  }
})

const SCOPES = ['read', 'write', 'pay'] as const

test('a macaroon opens what its scopes name, whichever it has; the error names the one that is missing', async () => {
  for (let bits = 1; bits < 8; bits++) {
    const held = SCOPES.filter((_, at) => bits & (1 << at))
    for (const name of names) {
      const { scope } = operations[name]
      const opens = scope === 'none' || held.includes(scope)
      const expected = opens ? undefined : `the macaroon lacks the scope ${scope}`
      assert.equal(
        await barred(name, [`scope = ${held.join(' ')}`]),
        expected,
        `${name}: ${held.join(' ')}`,
      )
    }
  }
})

test('without a macaroon, or by one that is over, nothing opens but what needs none', async () => {
  for (const caveats of [undefined, ['expires = 2020-01-01T00:00:00Z']]) {
    for (const name of names.filter((one) => operations[one].scope !== 'none')) {
      assert.match((await barred(name, caveats)) ?? '', /macaroon/, name)
    }
    assert.equal(await barred('getHealth', caveats), undefined)
  }
})
