import type { AddressInfo, Socket } from 'node:net'

import fastify, { type FastifyInstance } from 'fastify'

import { mailboxRelay } from '../../mailbox/relay/plugin.ts'
import { newKey, selfSign } from '../../src/certificate/self-signed.ts'

const key = newKey()
const cert = await selfSign(
  key,
  { hostname: 'localhost', names: [], addresses: ['127.0.0.1'] },
  Date.now(),
)
const pem = key.export({ type: 'sec1', format: 'pem' }).toString()

/** Key and certificate of the test relays in PEM. */
export const testCertificate = { key: pem, cert }

/** A relay with a self-signed certificate on loopback that a test can stop and start again. */
export interface TestRelay {
  /** `localhost:port`, with `http://` before it without TLS; the same after a restart. */
  readonly mailbox: string
  /** Its certificate in PEM. */
  readonly ca: string
  /** Cuts every connection and forgets every box, as a killed process does. */
  kill(): Promise<void>
  /** Listens again after `kill`. */
  start(): Promise<void>
  /** Cuts every connection; the boxes stay. */
  cut(): void
  readonly connections: number
}

/**
 * What the port speaks: TLS for both HTTPs, or cleartext, which Fastify alone offers for one of them at a time
 * (`src/listener` does both).
 */
export type Speech = 'tls' | 'http1' | 'http2'

const SPEECHES: Readonly<Record<Speech, object>> = {
  tls: { http2: true, https: { allowHTTP1: true, key: pem, cert } },
  http1: {},
  http2: { http2: true },
}

/** Starts a relay; `kill` it at the end. */
export async function testRelay(speech: Speech = 'tls'): Promise<TestRelay> {
  const sockets = new Set<Socket>()
  let port = 0
  let app: FastifyInstance | undefined
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  const start = async () => {
    const next: FastifyInstance = fastify({
      ...SPEECHES[speech],
      forceCloseConnections: true,
    })
    next.server.on('connection', (socket: Socket) => {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
    })
    await next.register(mailboxRelay)
    await next.listen({ port, host: '127.0.0.1' })
    port = (next.server.address() as AddressInfo).port
    app = next
  }
  await start()
  return {
    mailbox: `${speech === 'tls' ? '' : 'http://'}localhost:${port}`,
    ca: cert,
    start,
    cut,
    kill: async () => {
      const old = app
      app = undefined
      cut()
      await old?.close()
    },
    get connections() {
      return sockets.size
    },
  }
}
