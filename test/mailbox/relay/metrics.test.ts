import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock } from '../../../src/base/clock.ts'
import type { Log, LogFields } from '../../../src/base/log.ts'
import { encodeCipherBox, encodeCipherBoxAuth } from '../../../mailbox/hashmail/proto.ts'
import { Activity } from '../../../mailbox/relay/activity.ts'
import { createBox, freshId, GrpcCallClient, grpcReader, unary, until } from './harness.ts'
import { RelayClientMeter } from './meter.ts'
import { openGrpcFace } from './open-box.ts'

test('figures: boxes, streams, messages, refusals, sessions', async (t) => {
  const meter = new RelayClientMeter()
  const clock = new ManualClock()
  const lines: { fields: LogFields; message: string }[] = []
  const write = (fields: LogFields, message: string): void => void lines.push({ fields, message })
  const log: Log = { debug: write, info: write, warn: write, error: write, child: () => log }
  const { session } = await openGrpcFace(t, { registry: meter.registry, clock, log })
  const odd = freshId()
  await createBox(session, odd)
  const reader = await grpcReader(session, odd)
  const writer = new GrpcCallClient(session, 'SendStream')
  for (let n = 0; n < 6; n++) {
    await writer.send(encodeCipherBox(odd, Buffer.alloc(10)))
    await reader.nextMsg()
  }
  await unary(session, 'NewCipherBox', encodeCipherBoxAuth(odd))
  await unary(session, 'DelCipherBox', encodeCipherBoxAuth(freshId()))
  clock.advance(10_000)

  const figures: readonly [string, number, Record<string, string>?][] = [
    ['hashmail_mailbox_count', 1],
    ['hashmail_mailbox_active_sessions', 1],
    ['hashmail_mailbox_inuse_sessions', 1],
    ['hashmail_mailbox_standby_sessions', 0],
    ['pinhole_relay_messages_total', 6],
    ['pinhole_relay_message_bytes_total', 60],
    ['pinhole_relay_buffered_bytes', 0],
    ['pinhole_relay_addresses', 1],
    ['pinhole_relay_streams', 2, { face: 'grpc' }],
    ['pinhole_relay_streams', 0, { face: 'websocket' }],
    ['pinhole_relay_refusals_total', 1, { code: 'ERR_BOX_EXISTS' }],
    ['pinhole_relay_refusals_total', 1, { code: 'ERR_BOX_NOT_FOUND' }],
  ]
  for (const [name, value, labels] of figures) {
    assert.equal(await meter.value(name, labels), value, `${name} ${JSON.stringify(labels ?? {})}`)
  }
  reader.cancel()
  writer.cancel()
  await until(() => reader.stream.closed && writer.stream.closed, 'both have left')

  const said = JSON.stringify(lines)
  assert.match(said, /box created/)
  for (const form of ['hex', 'base64', 'latin1'] as const) {
    assert.equal(said.includes(odd.toString(form)), false, 'a stream id is a bearer token')
  }
})

test('sessions are classed by reads a second, on one of their two boxes', () => {
  let now = 0
  const activity = new Activity(() => now)
  activity.read(`${'a'.repeat(63)}\x01`, 5)
  activity.read(`${'b'.repeat(63)}\x01`, 4)
  activity.read(`${'b'.repeat(63)}\x00`, 400)
  now = 9999
  assert.deepEqual(activity.counts(), { active: 0, standby: 0, inUse: 0 })
  now = 10_000
  assert.deepEqual(activity.counts(), { active: 2, standby: 1, inUse: 1 })
  now = 20_000
  assert.deepEqual(activity.counts(), { active: 0, standby: 0, inUse: 0 })
})
