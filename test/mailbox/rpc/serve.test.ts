import assert from 'node:assert/strict'
import test from 'node:test'
import { text, utf8 } from '../../../src/base/bytes.ts'
import { openChannel } from '../../../mailbox/rpc/channel.ts'
import { serveGrpc } from '../../../mailbox/rpc/serve.ts'
import { memoryLinkPair } from '../memory-link.ts'
import { echoServer } from './echo-server.ts'

test('the server takes 4 MiB at once: an upload does not wait for a round trip every 64 KiB', async () => {
  const [ours, theirs] = memoryLinkPair()
  const { server } = echoServer()
  const served = serveGrpc(theirs, server)
  const channel = openChannel(ours)
  await channel.unary('/test.Echo/Unary', utf8(''))
  // Nothing of the server's comes through while the upload starts.
  let sent = 0
  const send = ours.send.bind(ours)
  const receive = theirs.receive.bind(theirs)
  let release = () => {}
  const held = new Promise<void>((resolve) => (release = resolve))
  theirs.receive = async () => {
    await held
    return receive()
  }
  ours.send = (message) => {
    sent += message.length
    return send(message)
  }
  const answer = channel.unary('/test.Echo/Unary', new Uint8Array(3 * 1024 * 1024))
  for (let i = 0; i < 400 && sent < 3 * 1024 * 1024; i++)
    await new Promise((resolve) => setImmediate(resolve))
  assert.ok(sent > 3 * 1024 * 1024, `${sent} bytes left before the first window update`)
  release()
  assert.equal((await answer).length, 3 * 1024 * 1024)
  await channel.close()
  await served
  server.forceShutdown()
})

test('macaroons pass up to the limit of Node; beyond it the client learns why at once', async () => {
  const call = async (length: number) => {
    const [ours, theirs] = memoryLinkPair()
    const { server } = echoServer()
    const served = serveGrpc(theirs, server)
    const channel = openChannel(ours, {
      metadata: [['macaroon', '0123456789abcdef'.repeat(length / 16)]],
    })
    try {
      return text(await channel.unary('/test.Echo/Macaroon', utf8('')))
    } finally {
      await channel.close()
      await served
      server.forceShutdown()
    }
  }
  assert.equal(await call(64), '64')
  assert.equal(await call(90_000), '90000')
  await assert.rejects(call(120_000), { code: 'ERR_HTTP2_FRAME', message: /compressionError/ })
})
