import assert from 'node:assert/strict'
import test from 'node:test'
import { inspect } from 'node:util'
import { LNC } from '../../mailbox/lnc.ts'

test('who prints an LNC makes no call and shows no secret', async (t) => {
  const localKey = '11'.repeat(32)
  const lnc = new LNC({ serverHost: 'localhost:1', localKey, remoteKey: `02${'22'.repeat(32)}` })
  lnc.credentials.password = 'correct horse'
  const request = t.mock.method(lnc, 'request')
  const printed = JSON.stringify(lnc) + inspect(lnc, { depth: 5 })
  assert.deepEqual(request.mock.calls, [])
  assert.match(printed, /localhost:1/)
  assert.doesNotMatch(printed, new RegExp(`${localKey}|correct horse`))
  assert.equal(lnc.credentials.localKey, localKey)
  assert.equal(lnc.credentials.password, 'correct horse')
})
