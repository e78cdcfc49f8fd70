/** Who asks, and how: what is read of a request before anything is decided. */
import type { Asked } from './answer.ts'
import { clientAddress, type TrustedProxies } from './client-address.ts'
import type { Request } from './target.ts'
import type { Trace } from './tracing.ts'

/** One request, looked at from outside. */
export interface Arrival {
  readonly req: Request
  /** Whose request it is: behind a trusted proxy the address that the proxy names. */
  readonly address: string
  /** Whether the connection is a trusted proxy's. */
  readonly trustedProxy: boolean
  /** Whether the connection is TLS. */
  readonly secure: boolean
  readonly asked: Asked
  /** Milliseconds since 1970. */
  readonly wallMs: number
  /** Milliseconds of a clock that never goes back. */
  readonly nowMs: number
  /** The request's own in the logs; empty without one. */
  readonly id: string
  readonly trace: Trace | undefined
}

/** Also that of grpc-web, as in Aperture. */
const GRPC = 'application/grpc'

/** Looks at a request. */
export function arrive(
  req: Request,
  trusted: TrustedProxies,
  clock: { wall(): number; now(): number },
  id = '',
  trace?: Trace,
): Arrival {
  const { headers, socket } = req
  const direct = clientAddress(socket.remoteAddress, undefined, trusted)
  const trustedProxy = trusted.has(direct)
  return {
    req,
    address: trustedProxy
      ? clientAddress(direct, joined(headers['x-forwarded-for']), trusted)
      : direct,
    trustedProxy,
    secure: 'encrypted' in socket && socket.encrypted === true,
    asked: { grpc: headers['content-type']?.startsWith(GRPC) ?? false, accept: headers.accept },
    wallMs: clock.wall(),
    nowMs: clock.now(),
    id,
    trace,
  }
}

/** Whether the client came by TLS, as far as we or a trusted proxy can tell. */
export const cameByTls = ({ req, secure, trustedProxy }: Arrival): boolean =>
  secure || (trustedProxy && req.headers['x-forwarded-proto'] === 'https')

const joined = (lines: string | string[] | undefined) =>
  typeof lines === 'object' ? lines.join(', ') : lines
