import assert from 'node:assert/strict'
import test from 'node:test'

import { isPinholeError } from '../../../src/base/errors.ts'
import { initiate, respond } from '../../../mailbox/noise/handshake.ts'
import { bytes, knownAnswers } from '../known-answers.ts'
import { memoryLinkPair } from '../memory-link.ts'
import { noted, recordedOptions } from './recorded.ts'
import type { RecordedHandshake } from './recorded.ts'

// Deliberately stricter than Go: auth data that does not fit in the block of 500 bytes is cut there by
// Go's sender and filled up with zeros by its reader. A macaroon without its end opens nothing, so both
// of our ends refuse it.
const recorded = knownAnswers<{ cases: RecordedHandshake[] }>('noise_xx_v0.json').cases.find(
  ({ auth_data_length }) => auth_data_length === 510,
)
assert.ok(recorded)
const tooMuch = recorded

test('version 0: our responder refuses to cut auth data', async () => {
  const [a, b] = memoryLinkPair()
  await a.send(bytes(tooMuch.acts[0]?.bytes ?? ''))
  const link = noted(b)
  await assert.rejects(respond(link, recordedOptions(tooMuch, 'responder')), (reason) =>
    isPinholeError(reason, 'ERR_NOISE_AUTH_DATA'),
  )
  assert.deepEqual(link.sent, [])
})

test('version 0: our initiator refuses auth data that was cut', async () => {
  const [a, b] = memoryLinkPair()
  await b.send(bytes(tooMuch.acts[1]?.bytes ?? ''))
  const link = noted(a)
  await assert.rejects(initiate(link, recordedOptions(tooMuch, 'initiator')), (reason) =>
    isPinholeError(reason, 'ERR_NOISE_AUTH_DATA'),
  )
  assert.equal(link.sent.length, 1)
})
