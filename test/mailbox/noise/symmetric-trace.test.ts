import assert from 'node:assert/strict'
import test from 'node:test'

import { toHex, utf8 } from '../../../src/base/bytes.ts'
import { nodeCrypto } from '../../../mailbox/crypto/node.ts'
import { SymmetricState } from '../../../mailbox/noise/symmetric-state.ts'
import { bytes, knownAnswers } from '../known-answers.ts'
import { authDataOf, patternOf } from './recorded.ts'
import type { RecordedHandshake } from './recorded.ts'

interface Step {
  step: string
  h: string
  ck: string
  k: string
  n: number
  party: 'both' | 'initiator' | 'responder'
}

interface Trace {
  cases: {
    name: string
    pattern: string
    from_file: string
    steps: Step[]
    split: { initiator_to_responder: string; responder_to_initiator: string }
  }[]
}

/** Carries out what a step's text says with the keys of its handshake. */
function perform(state: SymmetricState, { step, party }: Step, recorded: RecordedHandshake): void {
  const own = recorded[party === 'responder' ? 'responder' : 'initiator']
  const dh = /mixKey\(([0-9a-f]{64})\)/.exec(step)?.[1]
  const encrypted: [string, () => Uint8Array][] = [
    ['encryptAndHash(empty)', () => new Uint8Array()],
    ['encryptAndHash(static pub)', () => bytes(own.static_pub)],
    ['encryptAndHash(uint32 length)', () => uint32(authDataOf(recorded).length)],
    ['encryptAndHash(auth data)', () => authDataOf(recorded)],
    ['encryptAndHash(500-byte block)', () => block(authDataOf(recorded))],
  ]
  const plaintext = encrypted.find(([text]) => step.endsWith(text))?.[1]
  if (dh !== undefined) state.mixKey(bytes(dh))
  else if (plaintext) state.encryptAndHash(plaintext())
  else if (step.endsWith('mixHash(prologue)')) state.mixHash(utf8('lightning-node-connect'))
  else if (step.endsWith('mixHash(ephemeral pub)')) state.mixHash(bytes(own.ephemeral_pub))
  else if (step === 'mixHash(initiator static)') state.mixHash(bytes(recorded.initiator.static_pub))
  else if (step === 'mixHash(responder static)') state.mixHash(bytes(recorded.responder.static_pub))
  else assert.equal(step, 'start')
}

const uint32 = (value: number) => Uint8Array.of(value >> 24, value >> 16, value >> 8, value)

function block(authData: Uint8Array): Uint8Array {
  const out = new Uint8Array(500)
  out.set([authData.length >> 8, authData.length])
  out.set(authData, 2)
  return out
}

for (const trace of knownAnswers<Trace>('noise_trace.json').cases) {
  test(`each step: ${trace.name}`, () => {
    const file = knownAnswers<{ cases: RecordedHandshake[] }>(trace.from_file)
    const recorded = file.cases.find(({ name }) => name === trace.name)
    assert.ok(recorded)
    const state = new SymmetricState(nodeCrypto, patternOf(trace).name)
    for (const step of trace.steps) {
      perform(state, step, recorded)
      assert.equal(toHex(state.h), step.h, step.step)
      assert.equal(toHex(state.ck), step.ck, step.step)
      assert.equal(toHex(state.cipher.k), step.k, step.step)
      assert.equal(state.cipher.n, step.n, step.step)
    }
    const [k1, k2] = state.split()
    assert.equal(toHex(k1), trace.split.initiator_to_responder)
    assert.equal(toHex(k2), trace.split.responder_to_initiator)
  })
}

test('what was sealed under another hash does not open and leaves the state alone', () => {
  const [a, b] = [1, 2].map(() => new SymmetricState(nodeCrypto, 'name'))
  assert.ok(a && b)
  const c = a.encryptAndHash(utf8('text'))
  b.mixHash(utf8('other'))
  const before = toHex(b.h)
  assert.equal(b.decryptAndHash(c), undefined)
  assert.equal(b.cipher.n, 0)
  assert.equal(toHex(b.h), before)
})
