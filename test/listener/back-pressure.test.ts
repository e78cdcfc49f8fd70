/** A body that nobody reads stays with its sender. Once it all came into memory, over cleartext HTTP/1.1. */
import assert from 'node:assert/strict'
import net from 'node:net'
import test from 'node:test'
import { listen, raw } from './serving.ts'

const BODY_BYTES = 64 * 2 ** 20
/** What the system's socket buffers may hold besides. */
const MOST_SENT_BYTES = 16 * 2 ** 20
const HEAD = 'POST /unread HTTP/1.1\r\nhost: a\r\n'

test('a body that nobody reads is not taken in', async (t) => {
  const { port } = await listen(t)
  const socket = net.connect(port, '127.0.0.1')
  t.after(() => socket.destroy())
  socket.on('error', () => {})
  // The head comes with the first of the body, which is how the bytes were read past the pause.
  socket.write(`${HEAD}content-length: ${BODY_BYTES}\r\n\r\nfirst`)
  const chunk = Buffer.alloc(65_536)
  let sent = 0
  const stuck = await new Promise<boolean>((resolve) => {
    const pour = (): void => {
      while (sent < BODY_BYTES) {
        sent += chunk.length
        if (socket.write(chunk)) continue
        const timer = setTimeout(() => resolve(true), 40)
        socket.once('drain', () => {
          clearTimeout(timer)
          pour()
        })
        return
      }
      resolve(false)
    }
    pour()
  })
  assert.ok(stuck && sent < MOST_SENT_BYTES, `${sent} bytes were taken`)
})

test('Expect: nobody asks for a body that is not read', async (t) => {
  const { port } = await listen(t)
  const answer = await raw(
    port,
    'POST /early HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n',
  )
  assert.match(answer, /^HTTP\/1\.1 200 OK/)
})
