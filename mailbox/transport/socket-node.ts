/** WebSockets in Node, by `ws`: TLS options, the reason of a failure, and pings that notice a dead line. */
import { WebSocket } from 'ws'

import { systemClock, type Clock } from '../../src/base/clock.ts'
import { failureOfHttp, type RelayFailure } from './failure.ts'
import { failureOfDial, failureOfLoss } from './node-failure.ts'
import {
  MAX_TEXT,
  SOCKET_CLOSE_TIMEOUT_MS,
  SOCKET_DIAL_TIMEOUT_MS,
  type OpenSocket,
  type SocketEvents,
} from './text-socket.ts'
import { tlsOptions, type RelayTls } from './tls.ts'

/** Silence after which a ping is sent, and the same again without an answer ends the socket. */
const PING_EVERY_MS = 30_000

/** Opens sockets with `tls`. */
export function nodeSockets(tls: RelayTls, clock: Clock = systemClock): OpenSocket {
  return (url, events) => openSocket(url, events, tls, clock)
}

function openSocket(url: string, events: SocketEvents, tls: RelayTls, clock: Clock) {
  const where = new URL(url).host
  const socket = new WebSocket(url, {
    ...tlsOptions(tls),
    perMessageDeflate: false,
    maxPayload: MAX_TEXT,
    handshakeTimeout: SOCKET_DIAL_TIMEOUT_MS,
  })
  let reason: RelayFailure | undefined
  let wasOpen = false
  let silent = false
  const stopPings = keepAlive(socket, clock)
  socket.on('open', () => {
    wasOpen = true
    if (!silent) events.open()
  })
  socket.on('message', (bytes: Buffer, isBinary) => {
    if (!silent && !isBinary) events.text(bytes.toString('latin1'))
  })
  socket.on('unexpected-response', (request, response) => {
    reason = failureOfHttp(response.statusCode ?? 0)
    request.destroy()
    socket.terminate()
  })
  socket.on('error', (error) => {
    reason ??= wasOpen ? failureOfLoss(error, where) : failureOfDial(error, where)
  })
  socket.on('close', () => {
    stopPings()
    if (!silent) events.closed(reason ?? failureOfLoss(undefined, where))
    silent = true
  })
  return {
    send: (text: string) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(text)
    },
    bufferedBytes: () => socket.bufferedAmount,
    close: () => {
      silent = true
      return closeSocket(socket, clock)
    },
  }
}

function closeSocket(socket: WebSocket, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    if (socket.readyState === WebSocket.CLOSED) return resolve()
    const cut = clock.after(SOCKET_CLOSE_TIMEOUT_MS, () => socket.terminate())
    socket.once('close', () => {
      cut()
      resolve()
    })
    if (socket.readyState === WebSocket.CONNECTING) socket.terminate()
    else socket.close(1000, 'bye')
  })
}

function keepAlive(socket: WebSocket, clock: Clock): () => void {
  let heard = true
  const hear = () => (heard = true)
  for (const event of ['message', 'pong', 'ping']) socket.on(event, hear)
  let stop = () => {}
  const next = () => {
    stop = clock.after(PING_EVERY_MS, () => {
      if (!heard) return socket.terminate()
      heard = false
      if (socket.readyState === WebSocket.OPEN) socket.ping()
      next()
    })
  }
  socket.once('open', next)
  return () => stop()
}
