/** Prometheus: one registry a hub, served on a port of its own, and by the admin API. */
import http from 'node:http'
import { collectDefaultMetrics, Registry } from 'prom-client'
import { parseAddress } from './config/address.ts'
import { PinholeError } from './base/errors.ts'

/** The figures of one hub. */
export interface Metrics {
  /** Parts register what they count here. */
  readonly registry: Registry
  /** Adds the process's own figures (memory, processor time, event loop); idempotent. */
  countProcess(): void
  /** Serves `/metrics` at `address`. Throws `ERR_LISTEN_ADDRESS`; returns the port. */
  listen(address: string): Promise<number>
  /** The value of the gauge `name`, `undefined` when no part has registered it. */
  read(name: string): Promise<number | undefined>
  close(): Promise<void>
}

/** A registry and, where `listen` is called, a server for what is in it. */
export function createMetrics(): Metrics {
  const registry = new Registry()
  const server = http.createServer((request, response) => void answer(registry, request, response))
  let counted = false
  return {
    registry,
    countProcess() {
      if (!counted) collectDefaultMetrics({ register: registry })
      counted = true
    },
    listen: (address) => listen(server, address),
    async read(name) {
      const metric = await registry.getSingleMetric(name)?.get()
      return metric?.values[0]?.value
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function answer(
  registry: Registry,
  request: http.IncomingMessage,
  response: http.ServerResponse,
): Promise<void> {
  const [path] = (request.url ?? '').split('?')
  if (path !== '/metrics') {
    response.writeHead(404).end()
    return
  }
  try {
    const text = await registry.metrics()
    response.writeHead(200, { 'content-type': registry.contentType }).end(text)
  } catch {
    response.writeHead(500).end()
  }
}

function listen(server: http.Server, address: string): Promise<number> {
  const { host, port } = parseAddress(address) ?? { host: undefined, port: 0 }
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      const text = `cannot serve metrics on ${address}: ${cause.message}`
      reject(new PinholeError('ERR_LISTEN_ADDRESS', text, { cause }))
    })
    server.listen({ host, port }, () => {
      const bound = server.address()
      resolve(typeof bound === 'object' && bound !== null ? bound.port : port)
    })
  })
}
