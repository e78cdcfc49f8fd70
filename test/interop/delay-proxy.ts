/**
 * A TCP proxy on loopback that holds every byte for a fixed time, each way, and can be cut. It keeps the
 * order, limits nothing but what is in flight, and knows nothing of what passes.
 */
import { connect, createServer, type Socket } from 'node:net'

/** Bytes in flight in one direction of one connection, above which its source has to wait. */
const MAX_IN_FLIGHT_BYTES = 64 * 1024 * 1024

/** A running proxy. */
export interface DelayProxy {
  /** `127.0.0.1:<port>` */
  readonly address: string
  /** Resets every connection, and refuses new ones until `mend`. */
  cut(): void
  /** Accepts connections again. */
  mend(): void
  close(): Promise<void>
}

/** Listens on a port of its own and forwards to `target` (`host:port`), `delayMs` later each way. */
export async function delayProxy(target: string, delayMs: number): Promise<DelayProxy> {
  const { hostname: host, port } = new URL(`tcp://${target}`)
  const sockets = new Set<Socket>()
  let isCut = false
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (near) => {
    if (isCut) {
      near.resetAndDestroy()
      return
    }
    const far = connect({ host, port: Number(port), noDelay: true, allowHalfOpen: true })
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one)
      one.on('error', () => undefined)
      one.once('close', () => {
        sockets.delete(one)
        other.destroy()
      })
      forward(one, other, delayMs)
    }
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const listening = server.address()
  if (listening === null || typeof listening === 'string') throw new Error('no port')

  const drop = (): void => {
    for (const socket of sockets) socket.resetAndDestroy()
  }
  return {
    address: `127.0.0.1:${listening.port}`,
    cut: () => {
      isCut = true
      drop()
    },
    mend: () => {
      isCut = false
    },
    close: () => {
      drop()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

function forward(from: Socket, to: Socket, delayMs: number): void {
  let inFlight = 0
  from.on('data', (chunk: Buffer) => {
    inFlight += chunk.length
    if (inFlight > MAX_IN_FLIGHT_BYTES) from.pause()
    setTimeout(() => {
      inFlight -= chunk.length
      if (inFlight <= MAX_IN_FLIGHT_BYTES) from.resume()
      if (!to.destroyed) to.write(chunk)
    }, delayMs)
  })
  from.once('end', () => {
    setTimeout(() => to.end(), delayMs)
  })
}
