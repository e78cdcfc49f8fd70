/** A TCP or TLS connection to a gRPC server as a link. */
import net from 'node:net'
import tls from 'node:tls'
import type { Link } from '../link.ts'
import { socketLink } from './socket-link.ts'

/** Where a node's gRPC port is. */
export interface Target {
  readonly host: string
  readonly port: number
  /** The node's certificate (lnd's tls.cert) in PEM, which alone is trusted; cleartext without it. */
  readonly certificate?: string | Uint8Array
}

/** Milliseconds for TCP and TLS together; the node is near. */
const CONNECT_TIMEOUT_MS = 10_000

/**
 * Connects in the background: the link is there at once and its first `send` waits. A connection that
 * fails, then or later, makes `send` and `receive` reject with `ERR_AGENT_LND`.
 */
export function dialLink(target: Target): Link {
  const socket = connect(target)
  socket.setNoDelay(true).setKeepAlive(true)
  socket.setTimeout(CONNECT_TIMEOUT_MS, () => socket.destroy(new Error('no connection in time')))
  const event = target.certificate === undefined ? 'connect' : 'secureConnect'
  socket.once(event, () => socket.setTimeout(0))
  return socketLink(socket, `${target.host}:${target.port}`, event)
}

function connect({ host, port, certificate }: Target): net.Socket {
  if (certificate === undefined) return net.connect({ host, port })
  const ca = typeof certificate === 'string' ? certificate : Buffer.from(certificate)
  const servername = net.isIP(host) === 0 ? { servername: host } : {}
  return tls.connect({ host, port, ca, ALPNProtocols: ['h2'], ...servername })
}
