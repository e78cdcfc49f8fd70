/** The way through the paywall: order, free requests, limits, reloads, upgrades. */
import assert from 'node:assert/strict'
import http from 'node:http'
import type net from 'node:net'
import test, { describe } from 'node:test'
import { OwnRoutes } from '../../proxy/own-routes.ts'
import { compilePattern } from '../../proxy/pattern.ts'
import { newPair, open2, raw } from '../listener/serving.ts'
import { ask, ask2, buy, openShop } from './shop.ts'

const PAID = { name: 'paid', path: compilePattern('^/paid'), priceMsat: 10_000n }
const OPEN = { name: 'open', auth: { level: 'off' } } as const
const ONCE = { path: undefined, requests: 1, perMs: 3_600_000, burst: 1 }

test('freebie: so many for each network, then 402; a credential is looked at first', async (t) => {
  const trusted = ['127.0.0.1']
  const shop = await openShop(t, {
    services: [{ ...PAID, auth: { level: 'freebie', free: 2 }, quietPaths: [compilePattern('.')] }],
    trusted,
  })
  const from = (address: string, more = {}) =>
    ask(`${shop.url}/paid`, { headers: { 'x-forwarded-for': address, ...more } })
  const { authorization } = await (async () => {
    await from('198.51.100.1')
    await from('198.51.100.2')
    return buy(shop, '/paid', { 'x-forwarded-for': '198.51.100.3' })
  })()
  assert.equal((await from('198.51.100.4')).status, 402)
  assert.equal((await from('203.0.113.1', { authorization })).status, 200)
  const statuses: number[] = []
  for (let i = 0; i < 3; i++) statuses.push((await from('203.0.113.2')).status)
  assert.deepEqual(statuses, [200, 200, 402])
})

test('freebie: a request that the rate limit refuses costs none', async (t) => {
  const rule = { ...ONCE, perMs: 1_000 }
  const auth = { level: 'freebie', free: 2 } as const
  const shop = await openShop(t, { services: [{ ...PAID, auth, rateLimits: [rule] }] })
  const statuses: number[] = []
  for (let i = 0; i < 4; i++) statuses.push((await ask(`${shop.url}/paid`)).status)
  shop.clock.advance(1_000)
  statuses.push((await ask(`${shop.url}/paid`)).status)
  shop.clock.advance(1_000)
  statuses.push((await ask(`${shop.url}/paid`)).status)
  assert.deepEqual(statuses, [200, 429, 429, 429, 200, 402])
})

test('X-Forwarded-For of a client that is no trusted proxy counts for nothing', async (t) => {
  const { url } = await openShop(t, { services: [PAID], limits: { perAddress: 1 } })
  const headers = (n: number) => ({ 'x-forwarded-for': `198.51.100.${n}` })
  assert.equal((await ask(`${url}/paid`, { headers: headers(1) })).status, 402)
  assert.equal((await ask(`${url}/paid`, { headers: headers(2) })).status, 429)
})

test('a price of 0 lets through, without a rate limit', async (t) => {
  const shop = await openShop(t, {
    services: [{ ...PAID, rateLimits: [ONCE] }],
    pricer: { price: ({ path }) => (path === '/paid/free' ? 0n : 1_000n) },
  })
  for (const status of [200, 200]) {
    assert.equal((await ask(`${shop.url}/paid/free`)).status, status)
  }
  assert.equal((await ask(`${shop.url}/paid/x`)).status, 402)
})

test('a rate is counted by token for who has paid, by network for who need not', async (t) => {
  const shop = await openShop(t, {
    services: [{ ...PAID, rateLimits: [ONCE], openPaths: [compilePattern('^/paid/open')] }],
  })
  const first = await buy(shop, '/paid')
  const second = await buy(shop, '/paid')
  const statuses: number[] = []
  for (const { authorization } of [first, first, second, second]) {
    statuses.push((await ask(`${shop.url}/paid`, { headers: { authorization } })).status)
  }
  for (let i = 0; i < 2; i++) statuses.push((await ask(`${shop.url}/paid/open`)).status)
  assert.deepEqual(statuses, [200, 429, 200, 429, 200, 429])
  // A 402 costs no rate.
  assert.equal((await ask(`${shop.url}/paid`)).status, 402)
  const text = await shop.registry.metrics()
  assert.match(text, /aperture_ratelimit_allowed_total\{service="paid",path_pattern=""\} 3/)
  assert.match(text, /aperture_ratelimit_denied_total\{service="paid",path_pattern=""\} 3/)
  assert.match(text, /pinhole_requests_total\{service="paid",outcome="unpaid"\} 3/)
  assert.match(text, /pinhole_requests_total\{service="paid",outcome="paid"\} 2/)
})

test('OPTIONS goes upstream, unpaid, only where the service says so', async (t) => {
  const shop = await openShop(t, {
    services: [
      { ...PAID, forwardOptions: true },
      { ...PAID, name: 'rest', path: undefined },
    ],
  })
  assert.equal((await ask(`${shop.url}/paid`, { method: 'OPTIONS' })).status, 200)
  assert.deepEqual(shop.reached, ['OPTIONS /paid'])
  assert.equal((await ask(`${shop.url}/rest`, { method: 'OPTIONS' })).body, '\n')
  assert.equal(shop.reached.length, 1)
})

test('every method and content type goes the same way, and the body arrives unread', async (t) => {
  const shop = await openShop(t, { services: [OPEN] })
  for (const method of http.METHODS) {
    if (['CONNECT', 'OPTIONS', 'TRACE'].includes(method)) continue
    assert.equal((await ask(`${shop.url}/m`, { method })).status, 200, method)
  }
  for (const type of ['', 'nonsense', 'application/json', 'application/x-www-form-urlencoded']) {
    const headers = { 'content-type': type }
    const { status } = await ask(`${shop.url}/b`, { method: 'POST', headers, body: '{"not json' })
    assert.equal(status, 200, type)
  }
})

test('answers that were paid for are for no shared cache, and neither are freebies', async (t) => {
  const path = compilePattern('^/freebie')
  const shop = await openShop(t, {
    services: [
      { ...PAID, openPaths: [compilePattern('^/paid/open')] },
      { ...PAID, name: 'freebie', path, auth: { level: 'freebie', free: 1 } },
      OPEN,
    ],
  })
  const { authorization } = await buy(shop, '/paid/x')
  const caching = async (url: string, headers: http.OutgoingHttpHeaders = {}) => {
    const answer = await ask(shop.url + url, { headers })
    assert.equal(answer.status, 200)
    return answer.headers['cache-control']
  }
  assert.equal(await caching('/paid/x', { authorization }), 'private')
  assert.equal(await caching('/freebie'), 'private')
  assert.equal(await caching('/paid/open'), undefined)
  assert.equal(await caching('/open'), undefined)
})

test('own routes come first, whatever the patterns of services match', async (t) => {
  const shop = await openShop(t, {
    services: [{ ...PAID, path: undefined }],
    beside: (app) => app.get('/_pinhole/health', () => 'fine'),
  })
  assert.equal((await ask(`${shop.url}/_pinhole/health`)).body, 'fine')
  assert.equal((await ask(`${shop.url}/_pinhole/other`)).status, 402)
})

test('a reload counts for the next request; a running one keeps its own', async (t) => {
  let go = () => {}
  let asked = () => {}
  const priced = new Promise<void>((resolve) => (asked = resolve))
  const shop = await openShop(t, {
    services: [PAID],
    pricer: {
      price({ service }) {
        asked()
        return new Promise((resolve) => (go = () => resolve(service.priceMsat)))
      },
    },
  })
  const running = ask(`${shop.url}/paid`)
  await priced
  shop.snapshot = { ...shop.snapshot, services: [] }
  assert.equal((await ask(`${shop.url}/paid`)).status, 404)
  go()
  assert.equal((await running).status, 402)
})

describe('upgrades', () => {
  const upgrade = (path: string, more = '') =>
    `GET ${path} HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: x\r\n${more}\r\n`

  test('go the same way as requests', async (t) => {
    const shop = await openShop(t, { services: [PAID, { ...OPEN, path: compilePattern('^/o') }] })
    const { authorization } = await buy(shop, '/paid')
    assert.match(
      await raw(shop.port, upgrade('/nope')),
      /^HTTP\/1.1 404 [\s\S]*404 page not found\n$/,
    )
    const unpaid = await raw(shop.port, upgrade('/paid'))
    assert.match(unpaid, /^HTTP\/1.1 402 Payment Required\r\nConnection: close\r\n/)
    assert.equal(unpaid.match(/WWW-Authenticate: /g)?.length, 2)
    assert.match(unpaid, /"service":"paid"/)
    assert.deepEqual(shop.reached, [])
    const paid = await raw(shop.port, upgrade('/paid', `Authorization: ${authorization}\r\n`))
    assert.match(paid, /^HTTP\/1.1 101 [\s\S]*hello$/)
    assert.match(await raw(shop.port, upgrade('/o')), /^HTTP\/1.1 101 /)
  })

  test('of own routes are for no service', async (t) => {
    const routes = new OwnRoutes()
    const shop = await openShop(t, {
      services: [{ ...OPEN, path: undefined }],
      isOwnRoute: routes.has,
      beside: (app) => {
        app.addHook('onRoute', ({ url }) => routes.add(url))
        app.post('/_pinhole/session', () => 'mine')
        app.get('/api/admin/services/:name', () => 'mine')
      },
    })
    for (const path of ['/_pinhole/session?x', '/api/admin/services/a', '/_pinhole/pay/a']) {
      assert.match(
        await raw(shop.port, upgrade(path)),
        /^HTTP\/1.1 400 [^]*without the header Upgrade/,
      )
    }
    assert.deepEqual(shop.reached, [])
    await raw(shop.port, upgrade('/_pinhole/sessions'))
    assert.deepEqual(shop.reached, ['UPGRADE /_pinhole/sessions'])
  })

  test('of own paths are left to their listener', async (t) => {
    const shop = await openShop(t, {
      services: [OPEN],
      ownPaths: (path) => path === '/mine',
      beside: (app) => {
        app.server.on('upgrade', (req: http.IncomingMessage, socket: net.Socket) => {
          if (req.url?.startsWith('/mine')) socket.end('HTTP/1.1 418 Mine\r\n\r\n')
        })
      },
    })
    assert.match(await raw(shop.port, upgrade('/mine?x=1')), /^HTTP\/1.1 418 Mine/)
    assert.deepEqual(shop.reached, [])
  })
})

test('TLS: both versions of HTTP sell and serve', async (t) => {
  const shop = await openShop(t, { services: [PAID], tls: await newPair() })
  const session = open2(t, shop.url)
  const { headers } = await ask2(session, { ':path': '/paid' })
  assert.equal(headers[':status'], 402)
})
