/** The WebSocket service: sends back what it gets. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { WebSocket } from 'ws'
import type { HubProcess } from './hub-process.ts'
import { TICK_MS } from './upstreams.ts'
import { type Asked, Counter, readAsked, type Running, type Ware } from './ware.ts'

const MESSAGES = 20

/** What is sold over a WebSocket. */
export function webSocketWare(hub: HubProcess): Ware {
  const dial = (token?: string) =>
    new WebSocket(`wss://${hub.address}/websocket`, {
      ca: hub.certificate,
      headers: token === undefined ? {} : { authorization: token },
    })
  return {
    name: 'WebSocket',
    ask: () => refused(dial()),
    async collect(token) {
      const running = await count(dial(token))
      while (running.count < MESSAGES) await new Promise((resolve) => setTimeout(resolve, TICK_MS))
      await running.close()
    },
    open: (token) => count(dial(token)),
  }
}

async function refused(socket: WebSocket): Promise<Asked> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    socket.on('error', reject)
    socket.on('open', () => {
      socket.terminate()
      reject(new Error('opened without a token'))
    })
    socket.on('unexpected-response', (_request, answer) => resolve(answer))
  })
  response.resume()
  const { statusCode = 0, headers, rawHeaders } = response
  const challenges = rawHeaders.filter(
    (_, at) => rawHeaders[at - 1]?.toLowerCase() === 'www-authenticate',
  )
  return readAsked(statusCode, challenges, headers['retry-after'])
}

/** Sends 0, 1, 2, … and takes what comes back. */
async function count(socket: WebSocket): Promise<Running> {
  await once(socket, 'open')
  const counter = new Counter()
  let sent = 0
  const send = () => {
    if (socket.readyState === WebSocket.OPEN) socket.send(String(sent++))
  }
  const timer = setInterval(send, TICK_MS)
  socket.on('error', () => undefined)
  socket.on('message', (message: Buffer) => counter.take(message.toString()))
  socket.on('close', (code) => {
    clearInterval(timer)
    // 1006: without a closing handshake.
    counter.end(code === 1006 ? 'broken' : 'whole')
  })
  send()
  await counter.first
  return counter.running(async () => {
    socket.close()
    assert.ok(await counter.ended)
  })
}
