import assert from 'node:assert/strict'
import test from 'node:test'
import * as json from '../../../mailbox/hashmail/json.ts'
import { REST_PATH, REST_RECEIVE_PATH, REST_SEND_PATH } from '../../../mailbox/hashmail/names.ts'
import { freshId, rest, RestReader, startRelay } from './harness.ts'

test('REST face', async (t) => {
  const relay = await startRelay('http1')
  const { port } = relay
  t.after(() => relay.close())
  const create = (id: Uint8Array): ReturnType<typeof rest> =>
    rest(port, 'POST', REST_PATH, json.formatCipherBoxAuth(id))

  await t.test('create: status, type, shapes', async () => {
    const id = freshId()
    const made = await create(id)
    assert.deepEqual([made.status, made.text], [200, '{"success":{"desc":null}}'])
    assert.equal(made.headers['content-type'], 'application/json')
    const again = await create(id)
    assert.deepEqual(
      [again.status, again.text],
      [409, '{"code":6,"message":"stream already active","details":[]}'],
    )
  })

  await t.test('create: what is missing or wrong', async () => {
    const cases: readonly [string, number, RegExp][] = [
      ['', 500, /cipher box descriptor required/],
      ['{}', 500, /cipher box descriptor required/],
      ['{"desc":{}}', 500, /stream_id required/],
      ['{"desc":{"stream_id":"AQ=="}}', 500, /auth type required/],
      ['{"desc":{"stream_id":"*"}}', 400, /invalid value for bytes/],
      ['{"unknown":1}', 400, /unknown field/],
      ['[', 400, /syntax error|unexpected/],
      [`{"desc":{"stream_id":"${'A'.repeat(10_000_000)}"}}`, 429, /larger than max/],
    ]
    for (const [body, status, text] of cases) {
      const answer = await rest(port, 'POST', REST_PATH, body)
      assert.equal(answer.status, status, body.slice(0, 60))
      assert.match(answer.text, text)
    }
  })

  await t.test('delete takes the plain query', async () => {
    const id = freshId()
    await create(id)
    const query = `?desc.stream_id=${encodeURIComponent(id.toString('base64'))}`
    assert.deepEqual(await brief(rest(port, 'DELETE', REST_PATH + query)), [200, '{}'])
    assert.deepEqual(await brief(rest(port, 'DELETE', REST_PATH + query)), [
      500,
      '{"code":2,"message":"stream not found","details":[]}',
    ])
    assert.equal((await rest(port, 'DELETE', REST_PATH)).status, 500)
    assert.equal((await rest(port, 'DELETE', `${REST_PATH}?desc.stream_id=*`)).status, 400)
  })

  await t.test('send: objects one after the other; receive: one per line', async () => {
    const id = freshId()
    await create(id)
    const reader = new RestReader(port, id)
    const texts = ['one', 'two', 'three'].map((msg) => json.formatCipherBox(id, Buffer.from(msg)))
    const sent = await rest(port, 'POST', REST_SEND_PATH, ` ${texts.join('\n')}${texts[0]}\n\n`)
    assert.deepEqual([sent.status, sent.text], [500, '{"code":2,"message":"EOF","details":[]}'])
    assert.equal(
      await reader.nextText(),
      `{"result":{"desc":{"stream_id":"${id.toString('base64')}"},"msg":"b25l"}}`,
    )
    for (const msg of ['two', 'three', 'one'])
      assert.equal((await reader.nextMsg()).toString(), msg)
    reader.close()
  })

  await t.test('errors of streams', async () => {
    const id = freshId()
    assert.deepEqual(
      await brief(rest(port, 'POST', REST_RECEIVE_PATH, json.formatCipherBoxDesc(id))),
      [500, '{"error":{"code":2,"message":"stream not found","details":[]}}\n'],
    )
    const text = json.formatCipherBox(id, Buffer.from('x'))
    for (const [body, status, expected] of [
      [text, 500, /stream not found/],
      ['{"msg":"AQ=="}', 500, /cipher box descriptor required/],
      ['{"desc":', 400, /unexpected EOF/],
      ['nonsense', 400, /invalid character/],
      ['', 500, /EOF/],
    ] as const) {
      const answer = await rest(port, 'POST', REST_SEND_PATH, body)
      assert.equal(answer.status, status, body)
      assert.match(answer.text, expected)
    }
  })

  await t.test('CORS: only with an origin, for every origin; OPTIONS answers', async () => {
    const origin = 'https://app.example'
    const without = await rest(port, 'POST', REST_PATH, '{}')
    assert.equal(without.headers['access-control-allow-origin'], undefined)
    for (const method of ['POST', 'OPTIONS']) {
      const { headers } = await rest(port, method, REST_PATH, '', { origin })
      assert.equal(headers['access-control-allow-origin'], origin)
      assert.equal(headers['access-control-allow-methods'], 'GET, POST, PUT, DELETE')
      assert.equal(
        headers['access-control-allow-headers'],
        'Content-Type, Accept, Grpc-Metadata-Macaroon',
      )
    }
    assert.equal((await rest(port, 'OPTIONS', REST_SEND_PATH, '', { origin })).status, 200)
  })

  await t.test('other paths stay with the server', async () => {
    assert.equal((await rest(port, 'POST', '/elsewhere', '{}')).status, 404)
    assert.equal((await rest(port, 'GET', REST_PATH)).status, 404)
    const grpc = await rest(port, 'POST', '/hashmailrpc.HashMail/NewCipherBox', '{}', {
      'content-type': 'application/grpc',
    })
    assert.equal(grpc.status, 505)
  })
})

async function brief(answer: ReturnType<typeof rest>): Promise<[number, string]> {
  const { status, text } = await answer
  return [status, text]
}
