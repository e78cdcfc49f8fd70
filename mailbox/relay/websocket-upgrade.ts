/** The opening handshake of a WebSocket, server's side (RFC 6455 §4.2). No sub-protocol, no extensions. */
import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'

const ACCEPT_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const KEY = /^[+/0-9A-Za-z]{22}==$/

/** Answers `request` on `socket`: 101, or an HTTP error and the end. Returns whether it is a WebSocket now. */
export function acceptUpgrade(request: IncomingMessage, socket: Duplex): boolean {
  const { headers } = request
  const key = headers['sec-websocket-key'] ?? ''
  if (
    request.method !== 'GET' ||
    headers.upgrade?.toLowerCase() !== 'websocket' ||
    !KEY.test(key)
  ) {
    refuseUpgrade(socket, '400 Bad Request')
    return false
  }
  if (headers['sec-websocket-version'] !== '13') {
    refuseUpgrade(socket, '426 Upgrade Required', 'Sec-WebSocket-Version: 13\r\n')
    return false
  }
  const accept = createHash('sha1')
    .update(key + ACCEPT_SUFFIX)
    .digest('base64')
  socket.write(
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      `Sec-WebSocket-Accept: ${accept}\r\n\r\n`,
  )
  return true
}

/** Refuses an upgrade with an HTTP status line and ends the connection. */
export function refuseUpgrade(socket: Duplex, status: string, header = ''): void {
  socket.on('error', () => {})
  socket.end(`HTTP/1.1 ${status}\r\n${header}Connection: close\r\nContent-Length: 0\r\n\r\n`)
  socket.resume()
  socket.once('finish', () => socket.destroy())
}
