/** A hub to stand behind a server: it sells, streams, takes uploads and hosts the relay. */
import { EventEmitter, once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { systemClock } from '../../../src/base/clock.ts'
import { createHub, loadConfig } from '../../../src/index.ts'
import type { MadeInvoice } from '../../../src/invoices/node.ts'
import { VirtualNode, VirtualNodes } from '../../invoices/virtual-node.ts'

/** A node whose invoices look like some. */
class Node extends VirtualNode {
  override create(amountMsat: bigint): MadeInvoice {
    const made = super.create(amountMsat)
    return { ...made, paymentRequest: paymentRequestOf(made.addIndex) }
  }
}

const paymentRequestOf = (addIndex: bigint): string => `lnbc${addIndex}n`

/** What the API behind the hub tells of the requests that it gets. */
export interface Upstream {
  readonly address: string
  /** The first bytes of an upload have come. */
  readonly begun: () => Promise<unknown>
  /** Ends the streams that are open. */
  readonly finish: () => void
}

/** A hub, and what is needed to buy from it. */
export interface Behind {
  /** `host:port` */
  readonly host: string
  /** Its own certificate; `undefined` when it speaks cleartext. */
  readonly ca: string | undefined
  readonly upstream: Upstream
  /** Pays an invoice of the hub's; the preimage. */
  readonly pay: (invoice: string) => Uint8Array
}

async function startUpstream(t: TestContext): Promise<Upstream> {
  const events = new EventEmitter()
  const open = new Set<http.ServerResponse>()
  const server = http.createServer((request, response) => {
    const { headers, url = '' } = request
    if (url === '/stream') {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('data: first\n\n')
      open.add(response)
    } else if (url === '/upload') {
      let bytes = 0
      request.on('data', (chunk: Buffer) => {
        if (bytes === 0) events.emit('begun')
        bytes += chunk.length
      })
      request.once('end', () => response.end(String(bytes)))
    } else {
      const { 'x-forwarded-for': client, 'x-forwarded-proto': proto } = headers
      response.end(JSON.stringify({ client, proto }))
    }
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    begun: () => once(events, 'begun'),
    finish: () => {
      for (const response of open) response.end('data: last\n\n')
      open.clear()
    },
  }
}

/** Starts one that speaks cleartext, as behind what ends TLS, or has a certificate of its own. */
export async function startBehind(t: TestContext, cleartext: boolean): Promise<Behind> {
  const upstream = await startUpstream(t)
  const basedir = mkdtempSync(path.join(os.tmpdir(), 'pinhole-behind-'))
  const { address } = upstream
  const service = (name: string, values: Readonly<Record<string, unknown>>) => {
    return {
      name,
      hostregexp: '.*',
      pathregexp: `^/${name}$`,
      address,
      protocol: 'http',
      ...values,
    }
  }
  const values = {
    listenaddr: '127.0.0.1:0',
    servername: 'localhost',
    draintimeout: '100ms',
    hashmail: { enabled: true },
    // As docs/reverse-proxy.md has it.
    ...(cleartext ? { insecure: true, trustproxy: ['127.0.0.1', '::1'] } : {}),
    limits: { connectionsperaddress: 0 },
    services: [
      service('paid', { price: 10 }),
      ...['free', 'stream', 'upload'].map((name) => service(name, { auth: 'off' })),
    ],
  }
  const node = new Node('node', systemClock)
  const config = loadConfig({ configfile: false, basedir, values })
  const hub = createHub(config, { nodes: new VirtualNodes(node) })
  t.after(async () => {
    await hub.close()
    rmSync(basedir, { recursive: true })
  })
  const { host } = new URL(await hub.listen())
  const ca = cleartext ? undefined : readFileSync(path.join(basedir, 'tls.cert'), 'utf8')
  return { host, ca, upstream, pay: (invoice) => pay(node, invoice) }
}

function pay(node: VirtualNode, invoice: string): Uint8Array {
  for (const { paymentHash, preimage, addIndex } of node.invoices.values()) {
    if (invoice !== paymentRequestOf(addIndex)) continue
    node.settle(paymentHash)
    return preimage
  }
  throw new Error(`the node did not make ${invoice}`)
}
