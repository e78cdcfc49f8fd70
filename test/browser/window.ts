/** Windows of a browser on the console, and what is asked of every page in them. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import http from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import type { TestContext } from 'node:test'
import type { Browser, Page, Request, ViewportSize } from 'playwright-core'
import type { AdminHub } from '../admin/hub.ts'

const root = path.resolve(import.meta.dirname, '../..')
const ARTIFACTS = path.join(root, 'test-artifacts')
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
/** A page gets so long for what happens by itself, on a machine that is busy. */
const PATIENCE_MS = 15_000
export const SIZES = {
  narrow: { width: 360, height: 740 },
  wide: { width: 1280, height: 900 },
} as const

/** Fails where the console was not built; makes the folder of what a run leaves. */
export function prepare(): void {
  assert.ok(existsSync(path.join(root, 'dist/web/index.html')), 'run npm run build:web first')
  mkdirSync(ARTIFACTS, { recursive: true })
}

/** An API that somebody might sell. */
export async function startApi(t: TestContext): Promise<string> {
  const server = http.createServer((request, response) => {
    request.resume()
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ weather: 'fair', cookie: request.headers.cookie ?? '' }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A window that nobody has used, and what went wrong in it: errors, broken policies, requests to elsewhere. */
export async function openWindow(
  t: TestContext,
  browser: Browser,
  viewport: ViewportSize = SIZES.wide,
) {
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
    // What the hub refuses is said on the page; the browser calls it a failure.
    if (!/status of 400 .*\/api\/admin\//.test(text)) problems.push(text)
  })
  page.on('request', (request) => {
    const { protocol, host } = new URL(request.url())
    if (protocol === 'http:' && host !== new URL(page.url()).host && page.url() !== 'about:blank') {
      problems.push(`elsewhere: ${request.url()}`)
    }
  })
  return { context, page, problems }
}

export async function logIn(page: Page, { call, url }: AdminHub): Promise<string> {
  const { body } = await call('POST', '/login')
  const link = url + String(body['path'])
  await page.goto(link)
  await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor()
  assert.doesNotMatch(page.url(), /login/)
  return link
}

/** Goes to a page, and waits for what it reads. */
export async function show(page: Page, name: string): Promise<void> {
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
export async function until(page: Page, script: string): Promise<void> {
  const end = performance.now() + PATIENCE_MS
  while (!(await page.evaluate<boolean>(script))) {
    assert.ok(performance.now() < end, `still not so: ${script}`)
    await page.waitForTimeout(50)
  }
}

/** What stands in the rows of a table, by its label. */
export const rows = (page: Page, name: string): Promise<string[]> =>
  page.getByRole('region', { name, exact: true }).locator('tbody tr').allInnerTexts()

/** Keeps a picture of the page among what a run leaves. */
export const picture = (page: Page, name: string): Promise<Buffer> =>
  page.screenshot({ path: path.join(ARTIFACTS, `${name}.png`), fullPage: true })

/** Fails for what reaches beyond the window and for serious faults of accessibility. */
export async function assertFits(page: Page, name: string, rules?: readonly string[]) {
  await picture(page, name)
  assert.deepEqual(await page.evaluate(TOO_WIDE), [], name)
  assert.deepEqual(await seriousFaults(page, rules), [], name)
}

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
