import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test from 'node:test'

import { concat, toHex, utf8 } from '../../../src/base/bytes.ts'
import { nodeCrypto } from '../../../mailbox/crypto/node.ts'
import { initiate, readAct, respond, writeAct } from '../../../mailbox/noise/handshake.ts'
import type { HandshakeOptions } from '../../../mailbox/noise/handshake.ts'
import type { HandshakeState } from '../../../mailbox/noise/handshake-state.ts'
import type { Role } from '../../../mailbox/noise/patterns.ts'
import { RecordCipher, RECORD_OVERHEAD_BYTES } from '../../../mailbox/noise/record-cipher.ts'
import { negotiate } from '../../../mailbox/noise/version.ts'
import { bytes } from '../known-answers.ts'
import { memoryLinkPair } from '../memory-link.ts'
import { authDataOf, noted, patternOf, recordedOptions, recordedState } from './recorded.ts'
import type { RecordedAct, RecordedHandshake, RecordedMessage } from './recorded.ts'

/** Tests one recorded handshake that both ends finished: every act, the keys, the records. */
export function replay(recorded: RecordedHandshake): void {
  test(`${recorded.name}: every act from both ends`, () => replayActs(recorded))
  test(`${recorded.name}: over a link`, () => replayOverLink(recorded))
  for (const direction of ['initiator_to_responder', 'responder_to_initiator'] as const) {
    const messages = recorded[`messages_${direction}`]
    const key = recorded[`key_${direction}`]
    if (!messages || key === undefined) continue
    test(`${recorded.name}: records ${direction}`, () =>
      replayRecords(messages, bytes(key), bytes(recorded.ck_final ?? ''), direction))
  }
}

function replayActs(recorded: RecordedHandshake): void {
  const pattern = patternOf(recorded)
  const ends = {
    initiator: recordedState(recorded, 'initiator'),
    responder: recordedState(recorded, 'responder'),
  }
  const negotiations = {
    initiator: negotiate('initiator', pattern, { minVersion: 0 }),
    responder: negotiate('responder', pattern, { maxVersion: recorded.responder.final_version }),
  }
  for (const role of ['initiator', 'responder'] as const) {
    assert.equal(toHex(ends[role].symmetric.h), recorded.h_initial)
    assert.equal(toHex(ends[role].symmetric.ck), recorded.ck_initial)
    assert.equal(toHex(ends[role].s.publicKey), recorded[role].static_pub)
    assert.equal(toHex(ends[role].e?.publicKey ?? new Uint8Array()), recorded[role].ephemeral_pub)
  }
  for (const [at, act] of pattern.acts.entries()) {
    const expected = recorded.acts[at]
    assert.ok(expected)
    assert.equal(act.from, expected.from)
    const reader = act.from === 'initiator' ? 'responder' : 'initiator'
    const written = writeAct(ends[act.from], act, expected.version_byte, authDataOf(recorded))
    assert.equal(toHex(written), expected.bytes)
    const carried = readAct(ends[reader], act, negotiations[reader], written)
    assert.deepEqual(carried, act.authData ? authDataOf(recorded) : new Uint8Array())
    for (const state of Object.values(ends)) checkState(state, expected)
  }
  for (const state of Object.values(ends)) {
    const [k1, k2] = state.symmetric.split()
    assert.equal(toHex(k1), recorded.key_initiator_to_responder)
    assert.equal(toHex(k2), recorded.key_responder_to_initiator)
    assert.equal(toHex(state.symmetric.ck), recorded.ck_final)
  }
}

function checkState({ symmetric }: HandshakeState, expected: RecordedAct): void {
  assert.equal(toHex(symmetric.h), expected.h_after)
  assert.equal(toHex(symmetric.ck), expected.ck_after)
  assert.equal(toHex(symmetric.cipher.k), expected.k_after)
  assert.equal(symmetric.cipher.n, expected.nonce_after)
}

async function replayOverLink(recorded: RecordedHandshake): Promise<void> {
  const [a, b] = memoryLinkPair()
  const initiator = noted(a)
  const responder = noted(b)
  const called: string[] = []
  const call = (role: Role): Partial<HandshakeOptions> => ({
    onRemoteStatic: (key) => void called.push(`${role} remote ${toHex(key)}`),
    onAuthData: async (authData) => void called.push(`${role} auth ${toHex(authData)}`),
  })
  const [mine, theirs] = await Promise.all([
    initiate(initiator, { ...recordedOptions(recorded, 'initiator'), ...call('initiator') }),
    respond(responder, { ...recordedOptions(recorded, 'responder'), ...call('responder') }),
  ])
  const actsOf = (role: Role) => recorded.acts.filter((act) => act.from === role)
  assert.deepEqual(
    initiator.sent,
    actsOf('initiator').map((act) => act.bytes),
  )
  assert.deepEqual(
    responder.sent,
    actsOf('responder').map((act) => act.bytes),
  )
  for (const [session, role, peer] of [
    [mine, 'initiator', 'responder'],
    [theirs, 'responder', 'initiator'],
  ] as const) {
    assert.equal(session.version, recorded[role].final_version)
    assert.equal(toHex(session.remoteStatic), recorded[peer].static_pub)
    assert.deepEqual(session.authData, authDataOf(recorded))
    const remote = recorded[role].set_remote_called_with
    const auth = role === 'initiator' ? [`initiator auth ${toHex(authDataOf(recorded))}`] : []
    assert.deepEqual(
      called.filter((entry) => entry.startsWith(role)),
      [...(remote === undefined ? [] : [`${role} remote ${remote}`]), ...auth],
    )
  }
  for (const direction of ['initiator_to_responder', 'responder_to_initiator'] as const) {
    const [first] = recorded[`messages_${direction}`] ?? []
    if (first?.plaintext === undefined) continue
    const forward = direction === 'initiator_to_responder'
    await (forward ? mine : theirs).link.send(bytes(first.plaintext))
    const received = await (forward ? theirs : mine).link.receive()
    assert.deepEqual(received, bytes(first.plaintext))
    const { sent } = forward ? initiator : responder
    assert.equal(sent.at(-1), first.header + first.body)
  }
  await mine.link.close()
  await theirs.link.close()
}

/** Seals and opens every record up to the last recorded one and compares those that were recorded. */
function replayRecords(
  messages: readonly RecordedMessage[],
  key: Uint8Array,
  salt: Uint8Array,
  direction: string,
): void {
  const sealer = new RecordCipher(nodeCrypto, key, salt)
  const opener = new RecordCipher(nodeCrypto, key, salt)
  const last = messages.at(-1)?.index ?? -1
  assert.ok(last >= 1501)
  const name = direction === 'initiator_to_responder' ? 'i2r' : 'r2i'
  for (let index = 0; index <= last; index++) {
    const recorded = messages.find((message) => message.index === index)
    const plaintext = plaintextOf(recorded, `${name} message ${index}`)
    const record = new Uint8Array(plaintext.length + RECORD_OVERHEAD_BYTES)
    sealer.sealRecord(plaintext, record)
    if (recorded) checkRecord(record, recorded)
    assert.equal(opener.openHeader(record.subarray(0, 18)), plaintext.length + 16)
    assert.deepEqual(opener.openBody(record.subarray(18)), plaintext)
  }
}

function plaintextOf(recorded: RecordedMessage | undefined, rule: string): Uint8Array {
  if (!recorded) return utf8(rule)
  if (recorded.plaintext !== undefined) return bytes(recorded.plaintext)
  return largePlaintext(recorded.plaintext_length)
}

/** The rule of the recording for plaintexts that it does not spell out. */
const largePlaintext = (length: number) =>
  Uint8Array.from({ length }, (_, i) => i * 7 + (i >> 8) + 3)

function checkRecord(record: Uint8Array, recorded: RecordedMessage): void {
  assert.equal(toHex(record.subarray(0, 18)), recorded.header)
  const body = record.subarray(18)
  if (recorded.body_sha256 !== undefined) {
    assert.equal(createHash('sha256').update(body).digest('hex'), recorded.body_sha256)
  } else {
    assert.equal(toHex(body), recorded.body)
  }
  assert.deepEqual(concat(record.subarray(0, 18), body), record)
}
