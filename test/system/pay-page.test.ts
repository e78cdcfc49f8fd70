/**
 * A person buys in a real browser: the payment page of a hub whose simulated node is paid by a simulated buyer,
 * with its script and without, by keyboard, on a narrow screen, in light and dark.
 */
import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import { create as qrCode } from 'qrcode'
import { silentLog } from '../../src/base/log.ts'
import { decodeInvoice } from '../../src/bolt11/decode.ts'
import { openWallet } from '../../src/cli/wallet.ts'
import { createSandbox, sandboxConfig } from '../../src/sandbox/sandbox.ts'
import { launchChromium, requireChromium } from './chromium.ts'

const CONTENT = /You have paid for this/
const UNPAID = 402
/** A page gets so long for what happens by itself, on a machine that is busy. */
const PATIENCE_MS = 15_000
/** WCAG 2.1 §1.4.3, for text of ordinary size. */
const LEAST_CONTRAST = 4.5
const NARROW = { width: 360, height: 640 }

interface Till {
  readonly url: string
  pay(invoice: string): Promise<void>
}

/** A hub that sells, and a wallet that can pay it. */
async function openTill(t: TestContext): Promise<Till> {
  const sandbox = createSandbox(sandboxConfig({ listenaddr: '127.0.0.1:0' }), silentLog)
  t.after(() => sandbox.close())
  const url = await sandbox.listen()
  const wallet = openWallet({ sandbox: true, url: new URL(url) })
  t.after(() => wallet.close())
  return {
    url,
    pay: async (invoice) => {
      await wallet.pay(invoice, { maxFeeMsat: 0n, signal: AbortSignal.timeout(PATIENCE_MS) })
    },
  }
}

/** A browser's window that nobody has used, and what went wrong in it. */
async function openWindow(t: TestContext, browser: Browser, options: BrowserContextOptions = {}) {
  const context = await browser.newContext(options)
  t.after(() => context.close())
  context.setDefaultTimeout(PATIENCE_MS)
  const page = await context.newPage()
  return { context, page, problems: watch(page) }
}

/** Errors, broken policies and requests to anywhere but the page's own host. */
function watch(page: Page): string[] {
  const problems: string[] = []
  const host = () => new URL(page.url()).host
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('console', (message) => {
    const text = message.text()
    const { url } = message.location()
    // That the page itself came with status 402 is what the browser calls a failure. And what is sold has
    // no icon; the page has one.
    const isPayment = text.includes(`status of ${UNPAID} `)
    const isIcon = text.includes('status of 404 ') && url.endsWith('/favicon.ico')
    if (!isPayment && !isIcon) problems.push(`${message.type()}: ${text} ${url}`)
  })
  page.on('requestfailed', (request) => problems.push(`failed: ${request.url()}`))
  page.on('request', (request) => {
    const { protocol, host: asked } = new URL(request.url())
    if (!request.isNavigationRequest() && protocol !== 'data:' && asked !== host()) {
      problems.push(`elsewhere: ${request.url()}`)
    }
  })
  return problems
}

/** Asks for something that costs, and gives the invoice of the page and of its link for wallets. */
async function visit(page: Page, url: string): Promise<string> {
  const response = await page.goto(url)
  assert.equal(response?.status(), UNPAID)
  const invoice = await page.getByLabel('Lightning invoice').inputValue()
  const challenge = await response.headerValue('www-authenticate')
  assert.ok(challenge?.includes(`invoice="${invoice}"`), 'the invoice of the challenge')
  const links = page.locator('a[href^="lightning:"]')
  assert.equal(await links.count(), 2)
  for (const link of await links.all()) {
    assert.equal(await link.getAttribute('href'), `lightning:${invoice}`)
  }
  return invoice
}

/** Looks at the code as a camera does: dark modules on light ones, in their places, with a quiet rim. */
async function checkCode(page: Page, invoice: string): Promise<void> {
  const { modules } = qrCode(`LIGHTNING:${invoice.toUpperCase()}`, { errorCorrectionLevel: 'L' })
  const rim = 2
  const across = modules.size + 2 * rim
  const png = (await page.locator('a.code svg').screenshot()).toString('base64')
  const seen = await page.context().newPage()
  const dark = await seen.evaluate<boolean[]>(`(async () => {
    const answer = await fetch('data:image/png;base64,${png}')
    const picture = await createImageBitmap(await answer.blob())
    const context = new OffscreenCanvas(picture.width, picture.height).getContext('2d')
    context.drawImage(picture, 0, 0)
    const { width, height } = picture
    const { data } = context.getImageData(0, 0, width, height)
    const step = width / ${across}
    return Array.from({ length: ${across ** 2} }, (_, n) => {
      const at = (index) => Math.floor((index + 0.5) * step)
      return data[4 * (at(Math.floor(n / ${across})) * width + at(n % ${across}))] < 128
    })
  })()`)
  await seen.close()
  const expected = Array.from({ length: across ** 2 }, (_, n) => {
    const [row, column] = [Math.floor(n / across) - rim, (n % across) - rim]
    const inside = Math.min(row, column) >= 0 && Math.max(row, column) < modules.size
    return inside && Boolean(modules.get(row, column))
  })
  assert.deepEqual(dark, expected)
}

/** The one cookie of a window that has bought; scripts do not see it. */
async function checkCookie(context: BrowserContext, page: Page): Promise<void> {
  const [cookie, ...others] = await context.cookies()
  assert.deepEqual(others, [])
  assert.match(cookie?.name ?? '', /^pinhole_l402_[0-9a-f]{32}$/)
  assert.deepEqual([cookie?.httpOnly, cookie?.sameSite, cookie?.path], [true, 'Lax', '/'])
  assert.equal(await page.evaluate('document.cookie'), '')
}

test('the payment page in a browser', { timeout: 60_000 }, async (t) => {
  if (!requireChromium(t)) return
  const [till, browser] = await Promise.all([openTill(t), launchChromium(t)])
  const paid = `${till.url}/paid`

  await t.test('shows an offer, goes on by itself once it is paid, and remembers', async (t) => {
    const permissions = ['clipboard-read', 'clipboard-write']
    const { context, page, problems } = await openWindow(t, browser, { permissions })
    const invoice = await visit(page, `${paid}?a=%22%3E&b`)
    assert.equal(decodeInvoice(invoice).amountMsat, 10_000n)
    assert.equal(await page.locator('.amount').innerText(), '10 sat')
    assert.match(await page.title(), /^10 sat/)
    await checkCode(page, invoice)
    await page.getByRole('button', { name: 'Copy' }).click()
    await page.getByRole('button', { name: 'Copied' }).waitFor()
    assert.equal(await page.evaluate('navigator.clipboard.readText()'), invoice)
    assert.equal(await page.getByRole('status').innerText(), 'Waiting for the payment.')
    assert.match(await page.getByRole('timer').innerText(), /^The invoice is good for [\d:]+\.$/)
    assert.equal(await page.getByRole('button', { name: 'I have paid' }).count(), 0)
    await till.pay(invoice)
    await page.getByText(CONTENT).waitFor()
    assert.equal(page.url(), `${paid}?a=%22%3E&b`)
    await checkCookie(context, page)
    assert.equal((await page.goto(paid))?.status(), 200)
    await visit(page, `${till.url}/stream`)
    assert.deepEqual(problems, [])
  })

  await t.test('without scripts the button leads on, also when it is pressed early', async (t) => {
    const { context, page, problems } = await openWindow(t, browser, { javaScriptEnabled: false })
    const invoice = await visit(page, `${paid}?without`)
    assert.equal(await page.getByRole('button', { name: 'Copy' }).count(), 0)
    const button = page.getByRole('button', { name: 'I have paid' })
    await button.click()
    await page.getByRole('heading', { name: 'Not paid yet' }).waitFor()
    await till.pay(invoice)
    await button.click()
    await page.getByText(CONTENT).waitFor()
    assert.equal(page.url(), `${paid}?without`)
    assert.equal((await context.cookies()).length, 1)
    assert.deepEqual(problems, [])
  })

  await t.test('the keyboard reaches all of it, and shows where it is', async (t) => {
    const permissions = ['clipboard-read', 'clipboard-write']
    const { page, problems } = await openWindow(t, browser, { permissions })
    const invoice = await visit(page, paid)
    const reached: unknown[] = []
    for (let n = 0; n < 4; n++) {
      await page.keyboard.press('Tab')
      reached.push(await page.evaluate(FOCUSED))
    }
    assert.deepEqual(reached, [
      ['Pay with a Lightning wallet', true],
      ['Lightning invoice', true],
      ['Open in wallet', true],
      ['Copy', true],
    ])
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'Copied' }).waitFor()
    assert.equal(await page.evaluate('navigator.clipboard.readText()'), invoice)
    assert.deepEqual(problems, [])
  })

  for (const colorScheme of ['light', 'dark'] as const) {
    await t.test(`on a narrow ${colorScheme} screen all of it fits and can be read`, async (t) => {
      const { page, problems } = await openWindow(t, browser, { colorScheme, viewport: NARROW })
      const invoice = await visit(page, paid)
      await checkCode(page, invoice)
      const contrasts = await page.evaluate<[string, number][]>(CONTRASTS)
      assert.ok(contrasts.length >= 7, 'all texts are looked at')
      for (const [text, contrast] of contrasts) {
        assert.ok(contrast >= LEAST_CONTRAST, `${text}: ${contrast.toFixed(1)}`)
      }
      assert.equal(await page.evaluate(IS_DARK), colorScheme === 'dark')
      assert.deepEqual(await page.evaluate(TOO_WIDE), [])
      await page.evaluate(`document.querySelector('h1').textContent = 'n'.repeat(200)`)
      await page.evaluate(`document.querySelector('.amount').textContent = '9'.repeat(30) + ' sat'`)
      assert.deepEqual(await page.evaluate(TOO_WIDE), [])
      assert.deepEqual(problems, [])
    })
  }
})

/** What has the focus, by name, and whether that is to be seen. */
const FOCUSED = `(() => {
  const focused = document.activeElement
  const { outlineStyle, outlineWidth } = getComputedStyle(focused)
  const name = focused.getAttribute('aria-label') ?? focused.textContent
  return [name, outlineStyle !== 'none' && parseFloat(outlineWidth) > 0]
})()`

/** Elements that reach beyond the window, or whose content reaches beyond them. */
const TOO_WIDE = `[...document.querySelectorAll('html, body, body *:not(script)')]
  .filter((element) => !element.closest('svg') && element.getClientRects().length > 0)
  .filter((element) => {
    const { left, right } = element.getBoundingClientRect()
    return left < 0 || right > innerWidth || element.scrollWidth > Math.ceil(right - left)
  })
  .map((element) => element.outerHTML.slice(0, 60))`

/** Functions of the page's colours: \`painted\` as a canvas paints them, \`luminance\` by WCAG 2.1. */
const COLOURS = `
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true })
  const probe = document.body.appendChild(document.createElement('p'))
  probe.style.color = 'Canvas'
  const ground = getComputedStyle(probe).color
  probe.remove()
  const painted = (...colours) => {
    for (const colour of colours) {
      canvas.fillStyle = colour
      canvas.fillRect(0, 0, 1, 1)
    }
    return canvas.getImageData(0, 0, 1, 1).data
  }
  const luminance = (...colours) => {
    const [r, g, b] = [...painted(...colours)].map((byte) => {
      const part = byte / 255
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }`

const IS_DARK = `(() => {${COLOURS}
  return luminance(ground) < 0.5
})()`

/** Every element that has text of its own, and the contrast of that to what is behind it. */
const CONTRASTS = `(() => {${COLOURS}
  const hasText = (element) =>
    element.checkVisibility() &&
    [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim())
  return [...document.querySelectorAll('main *:not(script)')].filter(hasText).map((element) => {
    const behind = [ground]
    const chain = []
    for (let at = element; at; at = at.parentElement) chain.unshift(getComputedStyle(at).backgroundColor)
    behind.push(...chain)
    const [text, back] = [luminance(...behind, getComputedStyle(element).color), luminance(...behind)]
    const [high, low] = text > back ? [text, back] : [back, text]
    return [element.textContent.slice(0, 30), (high + 0.05) / (low + 0.05)]
  })
})()`
