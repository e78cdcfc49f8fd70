/** What is on the wire, byte for byte, over HTTP/1.1, HTTP/2 and gRPC. */
import assert from 'node:assert/strict'
import test, { describe } from 'node:test'
import { parseChallenge } from '../../proxy/l402/index.ts'
import { compilePattern } from '../../proxy/pattern.ts'
import { PinholeError } from '../../src/base/errors.ts'
import { open2, raw } from '../listener/serving.ts'
import { ask, ask2, buy, openShop } from './shop.ts'

const PAID = { name: 'paid', path: compilePattern('^/paid'), priceMsat: 10_000n }
const QUIET = { name: 'quiet', path: compilePattern('^/q'), quietPaths: [compilePattern('^/q/')] }
const SLOW = {
  name: 'slow',
  path: compilePattern('^/slow'),
  auth: { level: 'off' },
  rateLimits: [{ path: undefined, requests: 1, perMs: 3_600_000, burst: 1 }],
} as const

const CORS = [
  'Access-Control-Allow-Origin: *',
  'Access-Control-Allow-Methods: GET, POST, OPTIONS',
  'Access-Control-Expose-Headers: WWW-Authenticate, Payment-Receipt',
  'Access-Control-Allow-Headers: Content-Type, Authorization, Grpc-Metadata-macaroon, WWW-Authenticate, Payment-Receipt',
]
const CORS_2 = Object.fromEntries(
  CORS.map((line) => {
    const [name = '', value] = line.split(': ')
    return [name.toLowerCase(), value]
  }),
)
const TEXT = ['Content-Type: text/plain; charset=utf-8', 'X-Content-Type-Options: nosniff']
const GRPC = { ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers' }

const close = (request: string) => `${request}\r\nHost: h\r\nConnection: close\r\n\r\n`

/** The answer's lines; the date and what only this connection says are left out. */
async function wire(port: number, request: string) {
  const text = await raw(port, close(request))
  const [head = '', body = ''] = text.split('\r\n\r\n')
  const [status, ...lines] = head.split('\r\n')
  const kept = lines.filter((line) => !/^(date|connection):/i.test(line))
  return { status, lines: kept, body }
}

test('challengelayout: combined puts both schemes into one line, which reads as the two do', async (t) => {
  const shop = await openShop(t, { services: [PAID], challengeLayout: 'combined' })
  const { challenges } = await ask(`${shop.url}/paid`)
  assert.equal(challenges.length, 1)
  const [line = ''] = challenges
  assert.match(line, /^LSAT macaroon="[^"]+", invoice="[^"]+", L402 macaroon=/)
  assert.deepEqual(
    parseChallenge(challenges).map(({ scheme }) => scheme),
    ['LSAT', 'L402'],
  )
  const { authorization } = await buy(shop, '/paid')
  assert.equal((await ask(`${shop.url}/paid`, { headers: { authorization } })).status, 200)
})

describe('HTTP/1.1', () => {
  test('402: both challenges, the JSON body', async (t) => {
    const { port, tokens, clock } = await openShop(t, { services: [PAID] })
    const { status, lines, body } = await wire(port, 'GET /paid/x HTTP/1.1')
    const offer: unknown = JSON.parse(body)
    const [sold] = tokens.sold
    assert.ok(sold)
    const macaroon = /macaroon="([^"]+)"/.exec(lines.join())?.[1] ?? ''
    const paymentHash = Buffer.from(sold.paymentHash).toString('hex')
    const invoice = `lnsb1${paymentHash}`
    assert.deepEqual(offer, {
      type: 'https://paymentauth.org/problems/payment-required',
      title: 'Payment Required',
      status: 402,
      detail:
        'Pay the invoice, then ask again with the header "Authorization: L402 <macaroon>:<preimage in hex>".',
      challengeId: Buffer.from(sold.tokenId).toString('hex'),
      service: 'paid',
      invoice,
      macaroon,
      paymentHash,
      amountSats: 10,
      amountMsat: 10_000,
      priceSats: 10,
      expiresAt: clock.wall() / 1_000 + 3_600,
    })
    assert.equal(status, 'HTTP/1.1 402 Payment Required')
    assert.deepEqual(lines, [
      `Content-Length: ${Buffer.byteLength(body)}`,
      ...CORS,
      'Cache-Control: no-store',
      `WWW-Authenticate: LSAT macaroon="${macaroon}", invoice="${invoice}"`,
      `WWW-Authenticate: L402 macaroon="${macaroon}", invoice="${invoice}", version="0", token="${macaroon}"`,
      'Content-Type: application/problem+json',
      'X-Content-Type-Options: nosniff',
    ])
  })

  test('402 in the form of Aperture for who asks for text', async (t) => {
    const { url } = await openShop(t, { services: [PAID] })
    const { status, body, headers } = await ask(`${url}/paid`, {
      headers: { accept: 'text/plain' },
    })
    assert.equal(status, 402)
    assert.equal(body, 'payment required\n')
    assert.equal(headers['content-type'], 'text/plain; charset=utf-8')
  })

  test('402 to HEAD has the challenges and no body', async (t) => {
    const { port } = await openShop(t, { services: [PAID] })
    const { status, lines, body } = await wire(port, 'HEAD /paid/x HTTP/1.1')
    assert.equal(status, 'HTTP/1.1 402 Payment Required')
    assert.equal(lines.filter((line) => line.startsWith('WWW-Authenticate: ')).length, 2)
    assert.equal(body, '')
  })

  test('a part of a satoshi is a whole one for who counts in satoshis', async (t) => {
    const { url } = await openShop(t, { services: [{ ...PAID, priceMsat: 1_001n }] })
    const offer = JSON.parse((await ask(`${url}/paid`)).body) as Record<string, unknown>
    assert.deepEqual([offer.amountSats, offer.amountMsat], [2, 1_001])
  })

  const SHORT: readonly [
    request: string,
    status: string,
    lines: readonly string[],
    body: string,
  ][] = [
    ['GET /nope', '404 Not Found', TEXT, '404 page not found\n'],
    ['GET /q/x', '401 Unauthorized', [...CORS, ...TEXT], 'unauthorized\n'],
    ['OPTIONS /paid/x', '200 OK', [...CORS, ...TEXT], '\n'],
    ['OPTIONS /nope', '200 OK', [...CORS, ...TEXT], '\n'],
  ]
  for (const [request, status, lines, body] of SHORT) {
    test(`${request} draws ${status}`, async (t) => {
      const shop = await openShop(t, { services: [PAID, QUIET] })
      const answer = await wire(shop.port, `${request} HTTP/1.1`)
      assert.deepEqual(answer, {
        status: `HTTP/1.1 ${status}`,
        lines: [`Content-Length: ${Buffer.byteLength(body)}`, ...lines],
        body,
      })
      assert.equal(shop.invoices.asked.length, 0)
    })
  }

  test('403 for a blocked address, whatever it asks', async (t) => {
    const { port } = await openShop(t, { services: [PAID], blocked: ['127.0.0.1'] })
    for (const request of ['GET /paid', 'OPTIONS /paid', 'GET /nope', 'GET /a/../b']) {
      const { status, lines, body } = await wire(port, `${request} HTTP/1.1`)
      assert.equal(status, 'HTTP/1.1 403 Forbidden')
      assert.deepEqual(lines.slice(1), [...CORS, ...TEXT])
      assert.equal(body, 'access denied\n')
    }
  })

  test('429 of a rate limit says when to come back', async (t) => {
    const { port } = await openShop(t, { services: [SLOW] })
    await wire(port, 'GET /slow HTTP/1.1')
    const { status, lines, body } = await wire(port, 'GET /slow HTTP/1.1')
    assert.equal(status, 'HTTP/1.1 429 Too Many Requests')
    assert.deepEqual(lines.slice(1), [...CORS, 'Retry-After: 3600', ...TEXT])
    assert.equal(body, 'rate limit exceeded\n')
  })

  test('429 when the allowance of invoices is used up; it is given back when none was made', async (t) => {
    const { url, invoices } = await openShop(t, { services: [PAID], limits: { perAddress: 1 } })
    invoices.failure = new PinholeError('ERR_INVOICE_UNAVAILABLE', 'node alice is away', {
      retryAfterMs: 7_200,
    })
    for (let i = 0; i < 3; i++) {
      const { status, headers, body } = await ask(`${url}/paid`)
      assert.equal(status, 503)
      assert.equal(headers['retry-after'], '8')
      assert.equal(headers['content-type'], 'application/problem+json')
      assert.match(body, /"code":"ERR_INVOICE_UNAVAILABLE"/)
      assert.doesNotMatch(body, /alice/)
    }
    invoices.failure = undefined
    assert.equal((await ask(`${url}/paid`)).status, 402)
    const { status, headers, body } = await ask(`${url}/paid`)
    assert.equal(status, 429)
    assert.ok(Number(headers['retry-after']) >= 60)
    assert.match(body, /"code":"ERR_INVOICE_ALLOWANCE"/)
  })

  test('503 says when to come back even if the backend does not', async (t) => {
    const { url, invoices } = await openShop(t, { services: [PAID] })
    invoices.failure = new PinholeError('ERR_INVOICE_UNAVAILABLE', 'away')
    assert.equal((await ask(`${url}/paid`)).headers['retry-after'], '5')
  })

  test('500 in words of Aperture when no offer can be made', async (t) => {
    const { url, invoices, tokens } = await openShop(t, {
      services: [PAID, { ...PAID, name: 'dear', path: compilePattern('^/dear') }],
      pricer: {
        price({ service }) {
          if (service.name === 'dear') throw new Error('no price')
          return 1_000n
        },
      },
    })
    const dear = await ask(`${url}/dear`)
    assert.deepEqual([dear.status, dear.body], [500, 'failure fetching resource price\n'])
    assert.equal(dear.headers['access-control-allow-origin'], undefined)
    tokens.adding = () => Promise.reject(new Error('the disk is full'))
    const unsold = await ask(`${url}/paid`)
    assert.deepEqual([unsold.status, unsold.body], [500, 'challenge failure\n'])
    assert.deepEqual(unsold.challenges, [])
    invoices.failure = new Error('garbage')
    assert.equal((await ask(`${url}/paid`)).body, 'challenge failure\n')
  })

  test('503 with a time to come back while the database fails', async (t) => {
    const shop = await openShop(t, { services: [PAID] })
    const { url, tokens, invoices } = shop
    const { authorization } = await buy(shop, '/paid')
    tokens.adding = () => Promise.reject(new PinholeError('ERR_STORE_OPEN', 'secret.db: full'))
    const unsold = await ask(`${url}/paid`)
    assert.deepEqual([unsold.status, unsold.headers['retry-after']], [503, '5'])
    assert.match(unsold.body, /ERR_STORE_UNAVAILABLE|err_store_unavailable/)
    assert.doesNotMatch(unsold.body, /secret\.db/)
    const asked = invoices.asked.length
    tokens.ready = () => false
    assert.equal((await ask(`${url}/paid`)).status, 503)
    assert.equal(invoices.asked.length, asked, 'no invoice for what cannot be stored')
    tokens.rootKey = () => {
      throw new PinholeError('ERR_STORE_OPEN', 'secret.db: damaged')
    }
    const unread = await ask(`${url}/paid`, { headers: { authorization } })
    assert.deepEqual([unread.status, unread.headers['retry-after']], [503, '5'])
  })

  test('400 for a path that could be read in two ways', async (t) => {
    const { port, reached } = await openShop(t, {
      services: [PAID, { name: 'rest', auth: { level: 'off' } }],
    })
    for (const path of ['/paid/../x', '/x/%2e%2e/paid', '/%2Fpaid', '/x%00', '/x%5c..%5cpaid']) {
      const { status, body } = await wire(port, `GET ${path} HTTP/1.1`)
      assert.equal(status, 'HTTP/1.1 400 Bad Request', path)
      assert.match(body, /"code":"ERR_REQUEST_PATH"/)
    }
    assert.deepEqual(reached, [])
  })

  test('an offer leaves only when its token is on disk', async (t) => {
    const { url, tokens } = await openShop(t, { services: [PAID] })
    let written = () => {}
    const asked = new Promise<void>((resolve) => {
      tokens.adding = () => {
        resolve()
        return new Promise((done) => (written = done))
      }
    })
    let answered = false
    const answer = ask(`${url}/paid`).finally(() => (answered = true))
    await asked
    await new Promise((resolve) => setTimeout(resolve, 20))
    assert.equal(answered, false)
    written()
    assert.equal((await answer).status, 402)
    assert.equal(tokens.sold.length, 1)
  })
})

describe('HTTP/2', () => {
  test('402: two fields, LSAT first', async (t) => {
    const { url } = await openShop(t, { services: [PAID] })
    const { headers, body } = await ask2(open2(t, url), { ':path': '/paid/x' })
    const { 'www-authenticate': challenges, ...rest } = headers
    delete rest.date
    assert.match(String(challenges), /^LSAT macaroon=.*", L402 macaroon=.*", version="0", token="/)
    assert.deepEqual(JSON.parse(JSON.stringify(rest)), {
      ':status': 402,
      'content-length': String(Buffer.byteLength(body)),
      ...CORS_2,
      'cache-control': 'no-store',
      'content-type': 'application/problem+json',
      'x-content-type-options': 'nosniff',
    })
    assert.match(body, /"service":"paid"/)
  })

  test('402 to HEAD, and to a POST whose body is never read', async (t) => {
    const { url } = await openShop(t, { services: [PAID] })
    const session = open2(t, url)
    const head = await ask2(session, { ':path': '/paid/x', ':method': 'HEAD' })
    assert.deepEqual([head.headers[':status'], head.body], [402, ''])
    const post = await ask2(session, { ':path': '/paid/x', ':method': 'POST' }, 'x'.repeat(50_000))
    assert.equal(post.headers[':status'], 402)
    assert.equal((await ask2(session, { ':path': '/nope' })).body, '404 page not found\n')
  })
})

describe('gRPC', () => {
  test('402 is one block of headers with code 13 and both challenges', async (t) => {
    const { url } = await openShop(t, { services: [PAID] })
    const answer = await ask2(open2(t, url), { ...GRPC, ':path': '/paid.Svc/Call' }, 'message')
    const { 'www-authenticate': challenges, ...rest } = answer.headers
    delete rest.date
    assert.equal(answer.headersOnly, true)
    assert.equal(answer.body, '')
    assert.equal(
      String(challenges).match(/(LSAT|L402) macaroon="(.*?)", invoice="(.*?)"/g)?.length,
      2,
    )
    assert.deepEqual(JSON.parse(JSON.stringify(rest)), {
      ':status': 200,
      ...CORS_2,
      'cache-control': 'no-store',
      'content-type': 'application/grpc',
      'grpc-status': '13',
      'grpc-message': 'payment required',
    })
  })

  const CODES: readonly [path: string, code: string, message: string][] = [
    ['/q/x', '13', 'unauthorized'],
    ['/slow', '8', 'rate limit exceeded'],
    ['/paid/../x', '3', 'the path has dot segments'],
  ]
  for (const [path, code, message] of CODES) {
    test(`${path} draws code ${code}`, async (t) => {
      const { url } = await openShop(t, { services: [PAID, QUIET, SLOW] })
      const session = open2(t, url)
      if (path === '/slow') await ask(url + path)
      const { headers, headersOnly } = await ask2(session, { ...GRPC, ':path': path }, '')
      assert.equal(headersOnly, true)
      assert.equal(headers[':status'], 200)
      assert.equal(headers['grpc-status'], code)
      assert.equal(headers['grpc-message'], message)
      assert.equal(headers['retry-after'], code === '8' ? '3600' : undefined)
    })
  }

  test('no invoice is code 14, a used allowance code 8', async (t) => {
    const { url, invoices } = await openShop(t, { services: [PAID], limits: { total: 1 } })
    const session = open2(t, url)
    const call = { ...GRPC, ':path': '/paid.Svc/Call' }
    invoices.failure = new PinholeError('ERR_INVOICE_UNAVAILABLE', 'away')
    assert.equal((await ask2(session, call, '')).headers['grpc-status'], '14')
    invoices.failure = undefined
    assert.equal((await ask2(session, call, '')).headers['grpc-status'], '13')
    const { headers } = await ask2(session, call, '')
    assert.equal(headers['grpc-status'], '8')
    assert.ok(Number(headers['retry-after']) >= 60)
  })

  test('over HTTP/1.1 (grpc-web) it is the same in headers', async (t) => {
    const { url } = await openShop(t, { services: [PAID] })
    const answer = await ask(`${url}/paid.Svc/Call`, {
      method: 'POST',
      headers: { 'content-type': 'application/grpc-web+proto' },
    })
    assert.equal(answer.status, 200)
    assert.equal(answer.headers['grpc-status'], '13')
    assert.equal(answer.challenges.length, 2)
  })
})
