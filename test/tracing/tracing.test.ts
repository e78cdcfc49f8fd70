/** Spans of requests, invoices and calls at nodes, with a tracer registered before the hub is made. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import test, { type TestContext } from 'node:test'
import {
  defaultTextMapGetter,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'
import { createSandbox, sandboxConfig } from '../../src/sandbox/sandbox.ts'
import { silentLog } from '../../src/base/log.ts'
import { createHub, loadConfig } from '../../src/index.ts'
import { TraceContext } from '../../src/tracing/w3c.ts'
import { until } from '../mailbox/ends.ts'
import { registerTracer, type Told } from './provider.ts'

const told = registerTracer()

async function start(t: TestContext) {
  const seen: http.IncomingHttpHeaders[] = []
  const upstream = http.createServer((request, response) => {
    seen.push(request.headers)
    if (request.url === '/free/hang') request.socket.destroy()
    else response.writeHead(request.url === '/free/bad' ? 503 : 200).end('hello')
  })
  upstream.listen(0, '127.0.0.1')
  await once(upstream, 'listening')
  const address = `127.0.0.1:${(upstream.address() as AddressInfo).port}`
  const basedir = mkdtempSync(path.join(os.tmpdir(), 'pinhole-tracing-'))
  const services = [{ name: 'free', address, pathregexp: '^/free', auth: 'off' }]
  const values = { listenaddr: '127.0.0.1:0', insecure: true, services }
  const hub = createHub(loadConfig({ configfile: false, basedir, values }))
  t.after(async () => {
    await hub.close()
    upstream.close()
    rmSync(basedir, { recursive: true })
  })
  return { url: await hub.listen(), seen }
}

/** The spans of the next request: its own, and those below it once all have ended. */
async function spansOf(ask: () => Promise<unknown>): Promise<[Told, ...Told[]]> {
  told.length = 0
  await ask()
  await until(() => told.length > 1 && told.every(({ ended }) => ended > 0))
  const [first, ...rest] = told
  assert.ok(first)
  return [first, ...rest]
}

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const PARENT = 'b7ad6b7169203331'

test('a request is a span with its stages below; traceparent is taken over and passed on', async (t) => {
  const { url, seen } = await start(t)
  const headers = { traceparent: `00-${TRACE}-${PARENT}-01`, tracestate: 'a=1,b=2', other: 'x' }
  const [request, gate, forward] = await spansOf(() => fetch(`${url}/free/a?key=1`, { headers }))
  assert.deepEqual(
    [request, gate, forward].map((span) => span?.name),
    ['GET free', 'gate', 'forward'],
  )
  assert.deepEqual([request.kind, forward?.kind], [SpanKind.SERVER, SpanKind.CLIENT])
  assert.equal(request.parent, PARENT)
  assert.equal(request.context.traceId, TRACE)
  assert.equal(gate?.parent, request.context.spanId)
  assert.equal(forward?.parent, request.context.spanId)
  const { 'pinhole.request_id': id, ...attributes } = request.attributes
  assert.match(String(id), /^[0-9a-f]{8}-1$/)
  assert.deepEqual(attributes, {
    'http.request.method': 'GET',
    'url.path': '/free/a',
    'network.protocol.version': '1.1',
    'network.peer.address': '127.0.0.1',
    'pinhole.service': 'free',
    'pinhole.outcome': 'open',
    'http.response.status_code': 200,
  })
  assert.equal(seen[0]?.['traceparent'], `00-${TRACE}-${forward?.context.spanId}-01`)
  assert.equal(seen[0]?.['tracestate'], undefined, 'the tracer of this test keeps none')
  assert.equal(seen[0]?.['other'], 'x')
  assert.ok(told.every(({ ended }) => ended === 1))
})

test('without a traceparent, or with a wrong one, a trace begins', async (t) => {
  const { url, seen } = await start(t)
  for (const wrong of [
    undefined,
    'nonsense',
    `00-${'0'.repeat(32)}-${PARENT}-01`,
    `ff-${TRACE}-${PARENT}-01`,
  ]) {
    const headers = wrong === undefined ? {} : { traceparent: wrong }
    const [request] = await spansOf(() => fetch(`${url}/free/a`, { headers }))
    assert.equal(request.parent, undefined)
    assert.equal(seen.at(-1)?.['traceparent']?.slice(3, 35), request.context.traceId)
  }
})

test('what fails is marked: an upstream that breaks, a status of 500 and more, what the paywall refuses is not', async (t) => {
  const { url } = await start(t)
  const [broken, , forward] = await spansOf(() => fetch(`${url}/free/hang`))
  assert.equal(broken.status.code, SpanStatusCode.ERROR)
  assert.equal(broken.attributes['error.type'], 'ERR_UPSTREAM_RESPONSE')
  assert.equal(forward?.status.code, SpanStatusCode.ERROR)
  const [bad] = await spansOf(() => fetch(`${url}/free/bad`))
  assert.equal(bad.status.code, SpanStatusCode.ERROR)
  told.length = 0
  await fetch(`${url}/elsewhere`)
  const [none] = told
  assert.equal(none?.name, 'GET')
  assert.equal(none?.status.code, SpanStatusCode.UNSET)
  assert.equal(none?.attributes['http.response.status_code'], 404)
  assert.equal(none?.ended, 1)
})

test('a 402 has its payment below, and below that the invoice and the call at the node', async (t) => {
  const config = sandboxConfig({ listenaddr: '127.0.0.1:0', 'invoices.pool.enabled': 'false' })
  const sandbox = createSandbox(config, silentLog)
  t.after(() => sandbox.close())
  const url = await sandbox.listen()
  told.length = 0
  assert.equal((await fetch(`${url}/paid`)).status, 402)
  const named = (name: string) => told.find((span) => span.name === name)
  const chain = ['GET paid', 'pay', 'invoice', 'lnrpc.Lightning/AddInvoice'].map(named)
  chain.forEach((span, at) => {
    assert.equal(span?.ended, 1)
    assert.equal(span.parent, at === 0 ? undefined : chain[at - 1]?.context.spanId)
  })
  assert.equal(chain[0]?.attributes['pinhole.outcome'], 'unpaid')
  assert.equal(chain[3]?.attributes['pinhole.node'], 'sandbox')
})

test('traceparent of later versions, and tracestate, are read', () => {
  const read = (traceparent: string) => {
    const carrier = { traceparent, tracestate: 'a=1' }
    return trace.getSpanContext(
      new TraceContext().extract(ROOT_CONTEXT, carrier, defaultTextMapGetter),
    )
  }
  const known = read(`01-${TRACE}-${PARENT}-00-more`)
  assert.equal(known?.traceId, TRACE)
  assert.equal(known?.traceFlags, 0)
  assert.equal(known?.traceState?.get('a'), '1')
  assert.equal(read(`00-${TRACE}-${PARENT}-00-more`), undefined)
})
