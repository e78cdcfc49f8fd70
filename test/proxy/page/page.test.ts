/** A browser buys: the page, the question whether it is paid, the cookie, the way on. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test, { describe, type TestContext } from 'node:test'
import { formatAmount } from '../../../proxy/page/page.ts'
import { compilePattern } from '../../../proxy/pattern.ts'
import { newPair, open2 } from '../../listener/serving.ts'
import { ask, ask2, openShop, type Shop, type ShopOptions } from '../shop.ts'

const PAID = { name: 'a <b> & "c"', path: compilePattern('^/+paid'), priceMsat: 12_345_678n }
const OTHER = { name: 'other', path: compilePattern('^/other'), priceMsat: 1_000n }
const HTML = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
const SCRIPT = { ...FORM, accept: 'application/json', 'sec-fetch-site': 'same-origin' }

const entities: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', '#39': "'" }
const unescape = (text: string) =>
  text.replace(/&([#\w]+);/g, (_, name: string) => entities[name] ?? '')

/** What a browser reads from the page. */
function read(html: string) {
  const [, action = ''] = /<form id="pay" method="post" action="([^"]+)"/.exec(html) ?? []
  const fields = new URLSearchParams()
  for (const [, name = '', value = ''] of html.matchAll(
    /<input type="hidden" name="(\w+)" value="([^"]*)"/g,
  )) {
    fields.set(name, unescape(value))
  }
  return { action, fields }
}

async function visit(t: TestContext, path: string, options: Partial<ShopOptions> = {}) {
  const shop = await openShop(t, { services: [PAID, OTHER], ...options })
  const { status, headers, body } = await ask(shop.url + path, { headers: HTML })
  return { shop, status, headers, html: body, ...read(body) }
}

function settleLast(shop: Shop): void {
  const sold = shop.tokens.sold.at(-1)
  assert.ok(sold)
  shop.invoices.settle(sold.paymentHash)
}

const cookieOf = (headers: { 'set-cookie'?: string[] | undefined }) =>
  headers['set-cookie']?.[0] ?? ''

describe('the page', () => {
  test('shows what is to be paid, and still carries the challenge', async (t) => {
    const { shop, status, headers, html } = await visit(t, '/paid/x?y=%22%3E')
    assert.equal(status, 402)
    assert.match(headers['www-authenticate'] ?? '', /^LSAT macaroon=/)
    assert.equal(headers['content-type'], 'text/html; charset=utf-8')
    assert.equal(headers['cache-control'], 'no-store')
    const [sold] = shop.tokens.sold
    const invoice = `lnsb1${Buffer.from(sold?.paymentHash ?? []).toString('hex')}`
    assert.match(html, /12,345\.678 sat/)
    assert.ok(html.includes(`href="lightning:${invoice}"`))
    assert.match(html, /<svg xmlns="http:\/\/www.w3.org\/2000\/svg"/)
    assert.ok(html.includes('a &lt;b&gt; &amp; &quot;c&quot;'))
    assert.ok(!html.includes('<b>'))
  })

  test('has nothing from elsewhere, and its policy runs its own script only', async (t) => {
    const { headers, html } = await visit(t, '/paid')
    const policy = String(headers['content-security-policy'])
    const hash = (text: string) => createHash('sha256').update(text).digest('base64')
    const [, script = ''] = /<script>([\s\S]*)<\/script>/.exec(html) ?? []
    const [, style = ''] = /<style>([\s\S]*)<\/style>/.exec(html) ?? []
    assert.ok(policy.startsWith("default-src 'none'; "))
    assert.ok(policy.includes(`script-src 'sha256-${hash(script)}';`))
    assert.ok(policy.includes(`style-src 'sha256-${hash(style)}';`))
    assert.doesNotMatch(
      html.replaceAll('http://www.w3.org/2000/svg', ''),
      /https?:|\ssrc=|\son\w+=|style="/,
    )
  })

  test('is not for a macaroon that no cookie could keep', async (t) => {
    const { status, headers } = await visit(t, '/paid', {
      services: [{ ...PAID, capabilities: 'x'.repeat(2_800) }],
    })
    assert.deepEqual([status, headers['content-type']], [402, 'application/problem+json'])
  })

  test('names amounts as people do', () => {
    const CASES: readonly [bigint, string][] = [
      [1_000n, '1 sat'],
      [1_234_567_000n, '1,234,567 sat'],
      [1_500n, '1.5 sat'],
      [1n, '0.001 sat'],
    ]
    for (const [msat, text] of CASES) assert.equal(formatAmount(msat), text)
  })
})

describe('buying', () => {
  test('the script waits, gets a cookie once it is paid, and the cookie opens this service only', async (t) => {
    const { shop, action, fields } = await visit(t, '/paid/x')
    const asked = ask(shop.url + action, {
      method: 'POST',
      headers: SCRIPT,
      body: fields.toString(),
    })
    while (shop.invoices.waiting === 0) await new Promise((resolve) => setImmediate(resolve))
    settleLast(shop)
    const { status, headers, body } = await asked
    assert.deepEqual([status, body], [200, '{"state":"paid"}'])
    assert.equal(headers['access-control-allow-origin'], undefined)
    const [pair = '', ...attributes] = cookieOf(headers).split('; ')
    assert.deepEqual(attributes, ['Max-Age=34560000', 'Path=/', 'HttpOnly', 'SameSite=Lax'])
    const cookie = `theme=dark; ${pair}`
    const served = await ask(`${shop.url}/paid/x`, { headers: { ...HTML, cookie } })
    assert.equal(served.status, 200)
    assert.match(served.body, /"cookie":"theme=dark"/)
    assert.doesNotMatch(served.body, /pinhole_l402_/)
    assert.equal((await ask(`${shop.url}/other`, { headers: { cookie } })).status, 402)
    const renamed = pair.replace(/^[^=]+/, 'pinhole_l402_')
    assert.equal((await ask(`${shop.url}/paid`, { headers: { cookie: renamed } })).status, 402)
    const session = open2(t, shop.url)
    const second = await ask2(session, { ':path': '/paid/y', cookie })
    assert.equal(second.headers[':status'], 200)
  })

  test('unpaid, the script is told so after 20 s', async (t) => {
    const { shop, action, fields } = await visit(t, '/paid')
    const post = { method: 'POST', headers: SCRIPT, body: fields.toString() }
    const asked = ask(shop.url + action, post)
    while (shop.invoices.waiting === 0) await new Promise((resolve) => setImmediate(resolve))
    shop.clock.advance(20_000)
    const { body, headers } = await asked
    assert.equal(body, '{"state":"open"}')
    assert.equal(headers['set-cookie'], undefined)
  })

  test('a hub that ends does not wait for those who have not paid', async (t) => {
    const { shop, action, fields } = await visit(t, '/paid')
    const post = { method: 'POST', headers: SCRIPT, body: fields.toString() }
    const asked = ask(shop.url + action, post)
    while (shop.invoices.waiting === 0) await new Promise((resolve) => setImmediate(resolve))
    await Promise.all([
      shop.close(),
      asked.then(({ body }) => assert.equal(body, '{"state":"open"}')),
    ])
  })

  test('without the script the button leads on, with the cookie', async (t) => {
    const { shop, action, fields } = await visit(t, '/paid/x?y=1')
    const post = { method: 'POST', headers: { ...FORM, ...HTML }, body: fields.toString() }
    const early = ask(shop.url + action, post)
    while (shop.invoices.waiting === 0) await new Promise((resolve) => setImmediate(resolve))
    shop.clock.advance(3_000)
    const { body } = await early
    assert.match(body, /Not paid yet/)
    // The offer is held on to: going back would bring another one.
    assert.deepEqual(read(body), { action, fields })
    settleLast(shop)
    const { status, headers } = await ask(shop.url + action, post)
    assert.deepEqual([status, headers.location], [303, '/paid/x?y=1'])
    assert.match(cookieOf(headers), /^pinhole_l402_/)
  })

  test('it never leads to another host', async (t) => {
    const { shop, action, fields } = await visit(t, '/paid')
    settleLast(shop)
    for (const [url, location] of [
      ['//evil.test/paid', '/.//evil.test/paid'],
      ['https://evil.test/', '/'],
      ['/a\r\nset-cookie: x=y', '/'],
    ] as const) {
      fields.set('url', url)
      const post = { method: 'POST', headers: { ...FORM, ...HTML }, body: fields.toString() }
      assert.equal((await ask(shop.url + action, post)).headers.location, location)
    }
  })

  test('over TLS the cookie stays on TLS, and it ends with its token', async (t) => {
    const shop = await openShop(t, {
      services: [{ ...PAID, timeoutSeconds: 90 }],
      tls: await newPair(),
    })
    const session = open2(t, shop.url)
    const { body } = await ask2(session, { ':path': '/paid', ...HTML })
    const { action, fields } = read(body)
    settleLast(shop)
    const post = { ':path': action, ':method': 'POST', ...SCRIPT }
    const { headers } = await ask2(session, post, fields.toString())
    assert.match(cookieOf(headers), /; Max-Age=90; Path=\/; HttpOnly; SameSite=Lax; Secure$/)
  })
})

describe('nobody else gets the credential', () => {
  test('without the secret of the page, with that of another, or after a revocation', async (t) => {
    const { shop, action, fields } = await visit(t, '/paid')
    const other = read((await ask(`${shop.url}/other`, { headers: HTML })).body)
    for (const { paymentHash } of shop.tokens.sold) shop.invoices.settle(paymentHash)
    const post = (path: string, body = fields) =>
      ask(shop.url + path, { method: 'POST', headers: SCRIPT, body: body.toString() })
    const bent = action.slice(0, -4) + (action.endsWith('AAAA') ? 'QQQQ' : 'AAAA')
    const answers = [await post(bent), await post('/_pinhole/pay/x'), await post(other.action)]
    assert.deepEqual(
      answers.map(({ status }) => status),
      [404, 404, 400],
    )
    const wrong = new URLSearchParams(fields)
    wrong.set('service', 'other')
    assert.equal((await post(action, wrong)).status, 400)
    const [sold] = shop.tokens.sold
    assert.ok(sold)
    shop.tokens.revoke(sold.identifierHash)
    assert.equal((await post(action)).status, 404)
    for (const { headers } of answers) assert.equal(headers['set-cookie'], undefined)
  })

  test('by the form of another site', async (t) => {
    const { shop, action, fields } = await visit(t, '/paid')
    settleLast(shop)
    for (const site of ['cross-site', 'same-site', 'none']) {
      const headers = { ...FORM, ...HTML, 'sec-fetch-site': site }
      const answer = await ask(shop.url + action, {
        method: 'POST',
        headers,
        body: fields.toString(),
      })
      assert.equal(answer.status, 403)
      assert.equal(answer.headers['set-cookie'], undefined)
    }
  })

  test('while the node does not tell the preimage, or tells a wrong one', async (t) => {
    const { shop, action, fields } = await visit(t, '/paid')
    settleLast(shop)
    const post = { method: 'POST', headers: SCRIPT, body: fields.toString() }
    shop.invoices.preimage = async () => new Uint8Array(32)
    assert.equal((await ask(shop.url + action, post)).body, '{"state":"open"}')
    shop.invoices.preimage = () => Promise.reject(new Error('away'))
    assert.equal((await ask(shop.url + action, post)).body, '{"state":"open"}')
    shop.invoices.settled = () => Promise.reject(new Error('away'))
    assert.equal((await ask(shop.url + action, post)).body, '{"state":"open"}')
  })
})
