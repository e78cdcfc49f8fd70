/** Opens connections to upstreams: TCP or a Unix socket, verified TLS on top. */
import net from 'node:net'
import tls from 'node:tls'
import type { Clock } from '../../src/base/clock.ts'
import { PinholeError } from '../../src/base/errors.ts'
import type { Upstream } from '../service.ts'
import type { Inlet } from './inlet.ts'

/** Protocols to offer by ALPN, in order of preference. */
export type Alpn = readonly ('h2' | 'http/1.1')[]

const KEEP_ALIVE_PROBE_MS = 30_000
const UNIX = 'unix:'

/** Where to connect, in Node's words. */
export type Place = { readonly path: string } | { readonly host: string; readonly port: number }

/** Reads an upstream's address: `host`, `host:port`, `[v6]:port` or `unix:/path`. */
export function placeOf({ address, protocol }: Pick<Upstream, 'address' | 'protocol'>): Place {
  if (address.startsWith(UNIX)) return { path: address.slice(UNIX.length) }
  const fallback = protocol === 'https' ? 443 : 80
  const colon = address.lastIndexOf(':')
  const bare = colon < 0 || address.endsWith(']') || address.indexOf(':') !== colon
  const host = bare && !/\]:\d+$/.test(address) ? address : address.slice(0, colon)
  const port = host === address ? fallback : Number(address.slice(colon + 1))
  return { host: host.replace(/^\[|\]$/g, ''), port }
}

/** `Host` toward the upstream: its address, as Aperture has it. A Unix socket has no name but this one. */
export function hostOf({ address }: Pick<Upstream, 'address'>): string {
  return address.startsWith(UNIX) ? 'localhost' : address
}

/**
 * Connects within the upstream's connect timeout. Rejects with Node's error, or `ERR_UPSTREAM_TIMEOUT`.
 * What cleartext brings goes to `inlet`, if there is one, and does not come as `data`.
 * A given certificate stands in place of the system's roots, which is what Node makes of `ca`.
 */
export function dial(
  upstream: Upstream,
  alpn: Alpn,
  clock: Clock,
  inlet?: Inlet,
): Promise<net.Socket> {
  const place = placeOf(upstream)
  const secure = upstream.protocol === 'https'
  const socket = secure
    ? tls.connect({ ...place, ...tlsOptions(upstream, place, alpn) })
    : net.connect({ ...place, ...(inlet ? { onread: inlet.onread } : {}) })
  socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_PROBE_MS)
  const { connectMs } = upstream.timeouts
  return new Promise((resolve, reject) => {
    const cancel =
      connectMs > 0 ? clock.after(connectMs, () => settle(timedOut(connectMs))) : () => {}
    const settle = (error: Error | undefined) => {
      cancel()
      socket.off('error', settle).off(secure ? 'secureConnect' : 'connect', connected)
      if (!error) return resolve(socket)
      // Errors that follow are of no interest, but must find a listener.
      socket.on('error', () => {}).destroy()
      reject(error)
    }
    const connected = () => settle(undefined)
    socket.once('error', settle).once(secure ? 'secureConnect' : 'connect', connected)
  })
}

function tlsOptions(upstream: Upstream, place: Place, alpn: Alpn): tls.ConnectionOptions {
  const host = 'host' in place ? place.host : 'localhost'
  const { certificate, insecureTls } = upstream
  return {
    ALPNProtocols: [...alpn],
    rejectUnauthorized: !insecureTls,
    // SNI has no addresses (RFC 6066 §3); the certificate is checked against `host` either way.
    ...(net.isIP(host) === 0 ? { servername: host } : {}),
    // A certificate that is named is trusted itself, be it a leaf: lnd's is, and Go's pools do the same.
    ...(certificate === undefined ? {} : { ca: certificate, allowPartialTrustChain: true }),
  }
}

const timedOut = (ms: number) =>
  new PinholeError('ERR_UPSTREAM_TIMEOUT', `no connection to the upstream within ${ms} ms`)
