/**
 * A person operates a hub in a real browser: from an empty hub to a sold request, and what comes after. The node is
 * simulated and waits at the hub's own relay, so that it is paired and paid over a real LNC connection.
 */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRequire } from 'node:module'
import path from 'node:path'
import test, { type TestContext } from 'node:test'
import type { Browser, Page, Request } from 'playwright-core'
import { listen } from '../../mailbox/listen/listen.ts'
import { connect } from '../../mailbox/connect/node.ts'
import { nodeWallet } from '../../src/client/node-wallet.ts'
import { isPaid, memoryTokens } from '../../src/client/bought-token.ts'
import { authorizationOf } from '../../src/client/buyer.ts'
import { payingFetch } from '../../src/client/fetch.ts'
import { createSimulatedNode } from '../../src/sandbox/simulated-node.ts'
import { type AdminHub, adminHub } from '../admin/hub.ts'
import { launchChromium, requireChromium } from '../system/chromium.ts'

const root = path.resolve(import.meta.dirname, '../..')
const ARTIFACTS = path.join(root, 'test-artifacts')
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
/** A page gets so long for what happens by itself, on a machine that is busy. */
const PATIENCE_MS = 15_000
const SIZES = { narrow: { width: 360, height: 740 }, wide: { width: 1280, height: 900 } } as const
/** All rules once; what depends on colours and sizes in the other look too. */
const LOOKS = [
  ['wide', 'light', undefined],
  ['narrow', 'dark', ['color-contrast', 'target-size']],
] as const
const PAGES = [
  '',
  'services',
  'tokens',
  'transactions',
  'nodes',
  'relay',
  'logs',
  'set-up',
] as const

/** An API that somebody might sell. */
async function startApi(t: TestContext): Promise<string> {
  const server = http.createServer((request, response) => {
    request.resume()
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ weather: 'fair', cookie: request.headers.cookie ?? '' }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A node that waits at the relay of the hub, for as many as want to be paired. */
function startNode(t: TestContext, { url }: AdminHub) {
  const node = createSimulatedNode({ alias: 'Alice' })
  const sessions: { close(): Promise<void> }[] = []
  const close = async () => {
    for (const session of sessions.splice(0)) await session.close()
    node.server.forceShutdown()
  }
  t.after(close)
  const phrase = async () => {
    const authData = `Macaroon: ${node.adminMacaroon}`
    const session = await listen({ mailbox: url, server: node.server, authData })
    sessions.push(session)
    return session.phrase ?? assert.fail('no phrase')
  }
  return { phrase, close }
}

/** A window that nobody has used, and what went wrong in it: errors, broken policies, requests to elsewhere. */
async function openWindow(t: TestContext, browser: Browser, viewport = SIZES.wide) {
  const context = await browser.newContext({ viewport, acceptDownloads: true, locale: 'en-GB' })
  t.after(() => context.close())
  context.setDefaultTimeout(PATIENCE_MS)
  const page = await context.newPage()
  const problems: string[] = []
  const asked = new Set<Request>()
  asking.set(page, asked)
  page.on('request', (request) => void (request.url().endsWith('/events') || asked.add(request)))
  page.on('requestfinished', (request) => asked.delete(request))
  page.on('requestfailed', (request) => asked.delete(request))
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('console', (message) => {
    const text = `${message.type()}: ${message.text()} ${message.location().url}`
    // What the hub refuses, or has not, is said on the page; the browser calls it a failure.
    if (!/status of (?:400|501) .*\/api\/admin\//.test(text)) problems.push(text)
  })
  page.on('request', (request) => {
    const { protocol, host } = new URL(request.url())
    if (protocol === 'http:' && host !== new URL(page.url()).host && page.url() !== 'about:blank') {
      problems.push(`elsewhere: ${request.url()}`)
    }
  })
  return { context, page, problems }
}

async function logIn(page: Page, { call, url }: AdminHub): Promise<string> {
  const { body } = await call('POST', '/login')
  const link = url + String(body['path'])
  await page.goto(link)
  await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor()
  assert.doesNotMatch(page.url(), /login/)
  return link
}

/** Goes to a page, and waits for what it reads. */
async function show(page: Page, name: string): Promise<void> {
  await page.evaluate(`location.hash = '#/${name}'`)
  await page.locator('h1').waitFor()
  await quiet(page)
}

/** Waits until nothing is asked of the hub for a moment; the stream of events does not count. */
async function quiet(page: Page): Promise<void> {
  const end = performance.now() + PATIENCE_MS
  let since = performance.now()
  while (performance.now() - since < QUIET_MS) {
    assert.ok(performance.now() < end, `still asking: ${page.url()}`)
    await page.waitForTimeout(20)
    if ((asking.get(page)?.size ?? 0) > 0) since = performance.now()
  }
}

const QUIET_MS = 100
/** Requests without an answer yet. */
const asking = new WeakMap<Page, Set<Request>>()

/** The browser's own way to wait for a script is against the page's policy. */
async function until(page: Page, script: string): Promise<void> {
  const end = performance.now() + PATIENCE_MS
  while (!(await page.evaluate<boolean>(script))) {
    assert.ok(performance.now() < end, `still not so: ${script}`)
    await page.waitForTimeout(50)
  }
}

/** Buys at the hub as a program does, from a wallet that is reached over LNC too. */
async function startBuyer(t: TestContext, { url }: AdminHub, phrase: string) {
  const node = await connect({ mailbox: url, phrase })
  t.after(() => node.close())
  const store = memoryTokens()
  const buy = payingFetch({ wallet: nodeWallet(node), maxSats: 100, store })
  const credential = async () => {
    const [token] = await store.list(new URL(url).origin)
    assert.ok(token && isPaid(token))
    return authorizationOf(token)
  }
  return { buy, credential, close: () => node.close() }
}

/** What stands in the rows of a table, by its label. */
const rows = (page: Page, name: string): Promise<string[]> =>
  page.getByRole('region', { name, exact: true }).locator('tbody tr').allInnerTexts()

/** Faults that axe calls serious or critical. */
async function seriousFaults(page: Page, rules?: readonly string[]): Promise<string[]> {
  await page.evaluate(`typeof axe === 'object' || (() => {${AXE}})()`)
  const options = JSON.stringify({ resultTypes: ['violations'], ...(rules && { runOnly: rules }) })
  const faults = await page.evaluate<Fault[]>(
    `axe.run(${options}).then((found) => found.violations)`,
  )
  return faults
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
}

interface Fault {
  readonly id: string
  readonly impact: string
  readonly nodes: readonly { readonly html: string }[]
}

/** Elements that reach beyond the window, but for those that scroll by themselves. */
const TOO_WIDE = `[...document.querySelectorAll('body *')]
  .filter((element) => element.checkVisibility() && !element.closest('.skip, svg, .scroll *'))
  .filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
  .map((element) => element.outerHTML.slice(0, 80))`

test('the console in a browser', { timeout: 120_000 }, async (t) => {
  if (!requireChromium(t)) return
  assert.ok(existsSync(path.join(root, 'dist/web/index.html')), 'run npm run build:web first')
  mkdirSync(ARTIFACTS, { recursive: true })
  const [browser, hub, api] = await Promise.all([
    launchChromium(t),
    adminHub(t, { hashmail: { enabled: true } }),
    startApi(t),
  ])
  const { url, macaroon } = hub
  const alice = startNode(t, hub)
  const { context, page, problems } = await openWindow(t, browser)
  const link = await logIn(page, hub)

  await t.test('a link logs one browser in, once; a macaroon does it too', async (t) => {
    const [cookie, ...others] = await context.cookies()
    assert.deepEqual(others, [])
    assert.deepEqual(
      [cookie?.name, cookie?.httpOnly, cookie?.sameSite, cookie?.path],
      ['pinhole_console', true, 'Strict', '/'],
    )
    assert.equal(await page.evaluate('document.cookie'), '')
    const other = await openWindow(t, browser)
    await other.page.goto(link)
    await other.page.getByRole('alert').getByText('the login link is unknown').waitFor()
    await other.page.getByLabel('Or log in with a macaroon').fill(macaroon)
    await other.page.getByRole('button', { name: 'Log in' }).click()
    await other.page.getByRole('heading', { name: 'Overview' }).waitFor()
    await other.page.getByRole('button', { name: 'Log out' }).click()
    await other.page.getByRole('button', { name: 'Log in' }).waitFor()
    assert.deepEqual(await other.context.cookies(), [])
    // The browser calls the answer to the used link a failure.
    assert.equal(other.problems.length, 1)
    assert.match(other.problems[0] ?? '', /status of 401 .*\/_pinhole\/session$/)
  })

  await t.test('from an empty hub to a sold request', async () => {
    await page.getByRole('link', { name: 'Set the hub up in three steps.' }).click()
    await page.getByLabel('Pairing phrase').fill('one word too few for a phrase of ten')
    assert.equal(await page.getByRole('button', { name: 'Pair', exact: true }).isDisabled(), true)
    await page.getByLabel('Pairing phrase').fill(await alice.phrase())
    await page.getByText('Relay and name').click()
    await page.getByLabel('Relay', { exact: true }).fill(url)
    await page.getByRole('button', { name: 'Pair', exact: true }).click()
    await page.getByRole('status').getByText('Alice').waitFor()
    assert.ok((await page.getByRole('list', { name: 'Progress' }).innerText()).length > 0)
    await page.getByLabel('Upstream address').fill(api)
    await page.getByText('It answers with status 200').waitFor()
    await page.getByLabel('Name', { exact: true }).fill('weather')
    await page.getByLabel('Paths').fill('^/weather(')
    await page.getByRole('button', { name: 'Add the API' }).click()
    await page.getByText('invalid path_regexp').waitFor()
    await page.getByLabel('Paths').fill('^/weather')
    await page.getByRole('button', { name: 'Add the API' }).click()
    await page.getByRole('listitem').getByRole('link', { name: 'weather' }).waitFor()
    await page.getByLabel('Path', { exact: true }).fill('/weather')
    await page.getByRole('button', { name: 'Ask without paying' }).click()
    await page.getByText('The answer has status 402').waitFor()
    await page.getByRole('img', { name: 'Invoice as QR code' }).waitFor()
    await page.screenshot({ path: path.join(ARTIFACTS, 'first-run-402.png'), fullPage: true })
    await page.getByRole('button', { name: 'Pay 10 sat and ask again' }).click()
    await page.getByText('The answer has status 200').waitFor()
    await page.getByText('"weather":"fair"').waitFor()
    await page.screenshot({ path: path.join(ARTIFACTS, 'first-run-paid.png'), fullPage: true })
    assert.deepEqual(problems, [])
  })

  const { buy, credential, close } = await startBuyer(t, hub, await alice.phrase())
  await page.goto(`${url}/_pinhole/`)

  await t.test('what is sold is seen at once', async () => {
    await page.getByText('live', { exact: true }).waitFor()
    const before = await page.locator('.figures strong').first().innerText()
    const answer = await buy(`${url}/weather`)
    assert.equal(answer.status, 200)
    await page.getByText('weather: 10 sat came in').waitFor()
    await until(
      page,
      `document.querySelector('.figures strong').innerText !== ${JSON.stringify(before)}`,
    )
    await page.locator('.chart canvas').first().waitFor()
    assert.deepEqual(problems, [])
  })

  await t.test('a service is edited, checked as one types', async () => {
    await page.getByRole('link', { name: 'Services' }).click()
    await page.getByRole('link', { name: 'weather' }).click()
    const save = page.getByRole('button', { name: 'Save' })
    await page.getByLabel('Price', { exact: true }).fill('many')
    await page.getByText('must be a whole number of satoshis').waitFor()
    await page.getByLabel('Price', { exact: true }).fill('12')
    await page.getByLabel('Paths', { exact: true }).fill('^/(')
    await page.getByText('invalid path_regexp').waitFor()
    assert.equal(await save.isDisabled(), true)
    await page.getByLabel('Paths', { exact: true }).fill('^/weather')
    await page.getByText('invalid path_regexp').waitFor({ state: 'detached' })
    await save.click()
    await page.getByRole('region', { name: 'Prices' }).getByText('12 sat').waitFor()
    assert.equal((await rows(page, 'Prices')).length, 2)
    const unpaid = await fetch(`${url}/weather`)
    assert.match(unpaid.headers.get('www-authenticate') ?? '', /invoice="lnbcrt120n1/)
    await unpaid.body?.cancel()
    assert.deepEqual(problems, [])
  })

  await t.test('transactions are filtered, also as CSV', async () => {
    await show(page, 'transactions')
    await page.getByRole('region', { name: 'Transactions' }).waitFor()
    await page.getByLabel('State').selectOption('settled')
    await page.getByText('pending').first().waitFor({ state: 'detached' })
    const paid = await rows(page, 'Transactions')
    assert.ok(paid.length > 0 && paid.every((row) => row.includes('settled')))
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Download as CSV' }).click(),
    ])
    const lines = readFileSync(await download.path(), 'utf8')
      .trim()
      .split(/\r?\n/)
    assert.equal(lines.length, paid.length + 1)
    await page.getByLabel('Paid until').fill('2020-01-01')
    await page.getByText('No transaction passes these filters.').waitFor()
    await page.getByLabel('Paid until').fill('')
    await page.getByLabel('Search').fill('ffffffffffff')
    await page.getByText('No transaction passes these filters.').waitFor()
    assert.deepEqual(problems, [])
  })

  await t.test('a token is read and revoked: its next use draws a 402', async () => {
    await show(page, 'tokens')
    const authorization = await credential()
    assert.equal((await fetch(`${url}/weather`, { headers: { authorization } })).status, 200)
    await page.getByLabel('Credential').fill(authorization)
    await page.getByRole('button', { name: 'Read it' }).click()
    await page.getByText('valid', { exact: true }).waitFor()
    const [, id = ''] = /([0-9a-f]{64})/.exec(await page.locator('dl').innerText()) ?? []
    await page.getByLabel('Search').fill(id.slice(0, 10))
    const revoke = page.getByRole('button', { name: `Revoke ${id.slice(0, 16)}` })
    await revoke.click()
    const dialog = page.getByRole('dialog', { name: 'Revoke this token?' })
    await dialog.waitFor()
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
    await revoke.click()
    await dialog.getByRole('button', { name: 'Revoke the token' }).click()
    await page.getByText('No token was paid for that this search finds.').waitFor()
    assert.equal((await fetch(`${url}/weather`, { headers: { authorization } })).status, 402)
    assert.deepEqual(problems, [])
  })

  for (const [size, colorScheme, rules] of LOOKS) {
    await t.test(`every page fits and is accessible, ${size} and ${colorScheme}`, async () => {
      await page.setViewportSize(SIZES[size])
      await page.emulateMedia({ colorScheme })
      for (const name of [...PAGES, 'service/weather']) {
        await show(page, name)
        await page.screenshot({
          path: path.join(ARTIFACTS, `${size}-${name.replace('/', '-') || 'overview'}.png`),
          fullPage: true,
        })
        assert.deepEqual(await page.evaluate(TOO_WIDE), [], name)
        assert.deepEqual(await seriousFaults(page, rules), [], name)
      }
      assert.deepEqual(problems, [])
    })
  }

  await t.test(
    'the keyboard goes to the content first, and a deleted service is gone',
    async () => {
      await page.reload()
      await page.getByRole('heading', { name: 'weather', level: 1 }).waitFor()
      await page.keyboard.press('Tab')
      assert.equal(await page.evaluate('document.activeElement.textContent'), 'Skip to content')
      await page.getByRole('button', { name: 'Delete' }).click()
      await page.getByRole('button', { name: 'Delete the service' }).press('Enter')
      await page.getByText('Nothing is sold yet.').waitFor()
      assert.deepEqual(problems, [])
    },
  )

  // Before the hub: it waits for those who are there.
  await context.close()
  await close()
  await alice.close()
})
