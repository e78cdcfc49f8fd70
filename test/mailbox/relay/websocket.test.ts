import assert from 'node:assert/strict'
import net from 'node:net'
import test from 'node:test'
import { ManualClock } from '../../../src/base/clock.ts'
import * as json from '../../../mailbox/hashmail/json.ts'
import {
  PING_PAYLOAD,
  REST_PATH,
  REST_RECEIVE_PATH,
  REST_SEND_PATH,
} from '../../../mailbox/hashmail/names.ts'
import { CLAIM_WAIT_MS } from '../../../mailbox/relay/limits.ts'
import { moment } from '../../moment.ts'
import { freshId, rest, SocketClient, startRelay, until } from './harness.ts'

const create = (port: number, id: Uint8Array): Promise<{ status: number }> =>
  rest(port, 'POST', REST_PATH, json.formatCipherBoxAuth(id))

test('WebSocket face', async (t) => {
  const relay = await startRelay('http1')
  const { port } = relay
  t.after(() => relay.close())

  await t.test('texts are those of the recordings: no blanks, padded base64', async () => {
    const id = freshId()
    await create(port, id)
    const reader = await SocketClient.reader(port, id)
    const writer = await SocketClient.open(port, REST_SEND_PATH)
    writer.send(id, Buffer.from([1, 20]))
    assert.equal(
      await reader.nextText(),
      `{"result":{"desc":{"stream_id":"${id.toString('base64')}"},"msg":"ARQ="}}`,
    )
    reader.socket.close()
    writer.socket.close()
    assert.equal((await reader.closed).code, 1000)
  })

  await t.test(
    'every spelling that Go accepts is read, also in the middle of a stream',
    async () => {
      const id = freshId()
      await create(port, id)
      const reader = await SocketClient.reader(port, id)
      const writer = await SocketClient.open(port, REST_SEND_PATH)
      const base64 = id.toString('base64')
      const texts = [
        `{"desc":{"stream_id":"${base64}"},"msg":"AQ=="}`,
        `{"desc":{"stream_id":"${base64}"},"msg":"Ag=="}`,
        `{"desc":{"streamId":"${id.toString('base64url')}"}, "msg":"Aw"}`,
        `{"desc":{"stream_id":"${base64}"}, "msg": "BA=="}`,
        `{"msg":"BQ==","desc":{"stream_id":"${base64}"}}`,
        `{"desc":null,"msg":"Bg=="}`,
        `{"desc":{"stream_id":"${base64}"},"msg":"\\u0042w=="}`,
        `{"desc":{"stream_id":"${base64}"},"msg":null}`,
        `{"desc":{"stream_id":"${base64}"},"msg":""}`,
        `{"desc":{"stream_id":"${base64}"},"msg":"CQ=="}`,
      ]
      for (const text of texts) writer.socket.send(text)
      const found: number[] = []
      for (let i = 0; i < texts.length; i++) found.push((await reader.nextMsg())[0] ?? 0)
      assert.deepEqual(found, [1, 2, 3, 4, 5, 6, 7, 0, 0, 9])
      writer.socket.send(`{"desc":{"stream_id":"${base64}"},"msg":"C*=="}`)
      assert.match(
        await writer.nextText(),
        /^\{"code":3,"message":"proto: .*invalid value for bytes/,
      )
      reader.socket.close()
    },
  )

  await t.test(
    'errors: bare on the send socket and at once, enveloped on the other, no close frame',
    async () => {
      const writer = await SocketClient.open(port, REST_SEND_PATH)
      writer.send(freshId(), Buffer.from('x'))
      assert.equal(await writer.nextText(), '{"code":2,"message":"stream not found","details":[]}')
      assert.equal((await writer.closed).code, 1006)
      const reader = await SocketClient.reader(port, freshId())
      assert.equal(
        await reader.nextText(),
        '{"error":{"code":2,"message":"stream not found","details":[]}}',
      )
      assert.equal((await reader.closed).code, 1006)
      const odd = await SocketClient.open(port, REST_RECEIVE_PATH)
      odd.socket.send('{"x":1}')
      assert.match(
        await odd.nextText(),
        /^\{"code":3,"message":"proto: \(line 1:2\): unknown field/,
      )
    },
  )

  await t.test('create over a WebSocket', async () => {
    const id = freshId()
    for (const answer of [json.JSON_INIT_SUCCESS, json.formatStatus(6, 'stream already active')]) {
      const socket = await SocketClient.open(port, REST_PATH)
      socket.socket.send(json.formatCipherBoxAuth(id))
      assert.equal(await socket.nextText(), answer)
      await socket.closed
    }
  })

  await t.test(
    'an end is free the moment its connection is gone, even while it waits for room',
    async () => {
      // Time stands still: the next one is not refused because this machine is slow to see the last one go.
      const still = await startRelay('http1', { clock: new ManualClock() })
      const { port } = still
      const id = freshId()
      await create(port, id)
      const writer = await SocketClient.open(port, REST_SEND_PATH)
      for (let n = 0; n < 50; n++) writer.send(id, Buffer.alloc(100_000, n))
      await until(() => writer.socket.bufferedAmount > 0, 'the writer is stuck')
      writer.socket.terminate()
      const next = await SocketClient.open(port, REST_SEND_PATH)
      next.send(id, Buffer.from('new'))
      const reader = await SocketClient.reader(port, id)
      let last: Buffer = Buffer.alloc(0)
      for (let n = 0; n < 60 && last.toString() !== 'new'; n++) last = await reader.nextMsg()
      assert.equal(last.toString(), 'new')
      reader.socket.close()
      next.socket.close()
      await still.close()
    },
  )

  await t.test('fragments, pings and both data kinds are read', async () => {
    const id = freshId()
    await create(port, id)
    const reader = await SocketClient.reader(port, id)
    const writer = await SocketClient.open(port, REST_SEND_PATH)
    const text = json.formatCipherBox(id, Buffer.alloc(70_000, 7))
    const ponged = new Promise((resolve) => writer.socket.once('pong', resolve))
    writer.socket.send(text.slice(0, 10), { fin: false })
    writer.socket.ping('x')
    writer.socket.send(text.slice(10, 50_000), { fin: false })
    writer.socket.send(text.slice(50_000), { fin: true })
    assert.equal((await reader.nextMsg()).length, 70_000)
    await ponged
    writer.socket.send(Buffer.from(json.formatCipherBox(id, Buffer.from('binary'))))
    assert.equal((await reader.nextMsg()).toString(), 'binary')
    reader.socket.close()
    writer.socket.close()
  })

  await t.test('handshakes that are none are refused, other paths are not ours', async () => {
    const cases: readonly [string, RegExp][] = [
      [upgrade(REST_SEND_PATH, { 'Sec-WebSocket-Key': 'short' }), /^HTTP\/1.1 400/],
      [upgrade(REST_SEND_PATH, { 'Sec-WebSocket-Version': '12' }), /^HTTP\/1.1 426[^]*Version: 13/],
      [upgrade('/elsewhere', {}), /^HTTP\/1.1 404/],
      [upgrade(REST_SEND_PATH, {}), /^HTTP\/1.1 101[^]*Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/],
    ]
    for (const [request, expected] of cases) {
      const socket = net.connect(port, '127.0.0.1')
      socket.write(request)
      const answer = await new Promise<Buffer>((resolve) => socket.once('data', resolve))
      assert.match(answer.toString(), expected)
      socket.destroy()
    }
  })
})

function upgrade(path: string, more: Record<string, string>): string {
  const headers = {
    Host: 'x',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version': '13',
    ...more,
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  return [`GET ${path} HTTP/1.1`, ...lines, '', ''].join('\r\n')
}

test('pings: a receive socket that does not answer ends, a send socket lives as long as it', async (t) => {
  const clock = new ManualClock()
  const relay = await startRelay('http1', { clock, wsPingIntervalMs: 2000, wsPongWaitMs: 1000 })
  const { port } = relay
  t.after(() => relay.close())
  const id = freshId()
  const other = Buffer.from(id)
  other[63] = (other[63] ?? 0) ^ 1
  await create(port, id)
  await create(port, other)

  const reader = await SocketClient.reader(port, other)
  const writer = await SocketClient.open(port, REST_SEND_PATH)
  writer.send(id, Buffer.from('x'))
  // Deaf clients: like Go's on its send socket, they never answer.
  writer.socket.pong = () => {}
  const pings: string[] = []
  writer.socket.on('ping', (payload: Buffer) => pings.push(payload.toString()))
  let ended = false
  void writer.closed.then(() => (ended = true))
  // Pings go out at 2 s, 4 s, 6 s …, and each is looked at 1 s later.
  const second = async (): Promise<void> => {
    clock.advance(1000)
    await moment()
  }
  for (let n = 0; n < 8; n++) await second()
  assert.equal(ended, false, 'the send socket stays while the receive socket lives')
  assert.ok(pings.length >= 2)
  assert.equal(pings[0], PING_PAYLOAD)

  reader.socket.pong = () => {}
  let readerEnded = false
  void reader.closed.then(() => (readerEnded = true))
  for (let n = 0; n < 8 && !(ended && readerEnded); n++) {
    await second()
  }
  assert.equal(readerEnded, true, 'a receive socket without a pong ends')
  assert.equal(ended, true, 'and the send socket after it')
})

test('a claim is refused after 250 ms of the clock, with the exact text', async (t) => {
  const clock = new ManualClock()
  const relay = await startRelay('http1', { clock })
  t.after(() => relay.close())
  const id = freshId()
  await create(relay.port, id)
  const first = await SocketClient.reader(relay.port, id)
  const writer = await SocketClient.open(relay.port, REST_SEND_PATH)
  writer.send(id, Buffer.from('x'))
  await first.nextMsg()
  const second = await SocketClient.reader(relay.port, id)
  let text: string | undefined
  void second.nextText().then((found) => (text = found))
  await until(() => clock.next() === CLAIM_WAIT_MS, 'the second one waits')
  assert.equal(text, undefined)
  clock.advance(CLAIM_WAIT_MS)
  await until(() => text !== undefined, 'the refusal')
  assert.equal(text, '{"error":{"code":2,"message":"read stream occupied","details":[]}}')
})
