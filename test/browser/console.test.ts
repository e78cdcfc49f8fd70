/**
 * A person operates a hub in a real browser: from an empty hub to a sold request, and what comes after. The node is
 * simulated and waits at the hub's own relay, so that it is paired and paid over a real LNC connection.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test, { type TestContext } from 'node:test'
import type { Page } from 'playwright-core'
import { toFile } from 'qrcode'
import { listen } from '../../mailbox/listen/listen.ts'
import { connect } from '../../mailbox/connect/node.ts'
import { createAdminClient } from '../../src/admin/client.ts'
import { nodeWallet } from '../../src/client/node-wallet.ts'
import { isPaid, memoryTokens } from '../../src/client/bought-token.ts'
import { authorizationOf } from '../../src/client/buyer.ts'
import { payingFetch } from '../../src/client/fetch.ts'
import { createSimulatedNode } from '../../src/sandbox/simulated-node.ts'
import { type AdminHub, adminHub } from '../admin/hub.ts'
import { launchChromium, requireChromium } from '../system/chromium.ts'
import { detectorOf, DOT, filmCode, type Picture, RIM } from './still-camera.ts'
import {
  assertFits,
  logIn,
  openWindow,
  picture,
  prepare,
  rows,
  show,
  SIZES,
  startApi,
  until,
} from './window.ts'

/** All rules once; what depends on colours and sizes in the other look too. */
const LOOKS = [
  ['wide', 'light', undefined],
  ['narrow', 'dark', ['color-contrast', 'target-size']],
] as const
const OWN_PORT = { admin: { enabled: true, listenaddr: '127.0.0.1:0' } }
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

/** What Lightning Terminal's QR code of a session says. */
const linkOf = (phrase: string, mailbox: string): string => {
  const coded = Buffer.from(`${phrase}||${mailbox}||Custom`).toString('base64')
  return `https://terminal.lightning.engineering#/connect/pair/${coded}`
}

/** A session's code before the camera, and a picture of another code. */
interface Codes {
  readonly flags: readonly string[]
  readonly detector: string
  readonly other: string
}

async function drawCodes(t: TestContext, link: string): Promise<Codes> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'pinhole-camera-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const [film, other] = [path.join(folder, 'film.y4m'), path.join(folder, 'other.png')]
  const known: (readonly [string, Picture])[] = [
    [OTHER, filmCode(OTHER, film)],
    [link, filmCode(link, film)],
  ]
  await toFile(other, OTHER, { errorCorrectionLevel: 'L', scale: DOT, margin: RIM })
  const flags = [
    '--use-fake-device-for-media-stream',
    '--use-fake-ui-for-media-stream',
    `--use-file-for-fake-video-capture=${film}`,
  ]
  return { flags, detector: detectorOf(known), other }
}

const OTHER = 'https://example.com/'
const SCAN = 'Scan the QR code of a session'
/** Keeps the streams that the page got. */
const WATCH_CAMERA = `{
  const media = Object.getPrototypeOf(navigator.mediaDevices)
  const open = media.getUserMedia.bind(navigator.mediaDevices)
  delete navigator.mediaDevices.getUserMedia
  globalThis.streams = []
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    const stream = await open(wanted)
    globalThis.streams.push(stream)
    return stream
  }
}`
/** How all cameras stand. */
const TRACKS = `streams.flatMap((stream) => stream.getTracks()).map((track) => track.readyState)`

/** Reads a session's code with the camera, in a browser that says first that it cannot. */
async function scanCode(page: Page, { detector, other }: Codes): Promise<void> {
  const button = page.getByRole('button', { name: SCAN })
  await page.evaluate('delete globalThis.BarcodeDetector')
  await button.click()
  await page.getByText('This browser reads no QR codes. Paste the phrase instead').waitFor()
  await page.getByRole('button', { name: 'Stop scanning' }).click()
  await openCamera(page, detector)
  await page.getByLabel('Or a picture of it').setInputFiles(other)
  await page.getByText('This QR code is not one of a session.').waitFor()
  await page.evaluate('globalThis.blind = false')
  await button.waitFor()
  assert.deepEqual(await page.evaluate(TRACKS), ['ended'], 'the camera is off')
  assert.equal(await page.evaluate('document.activeElement.innerText'), SCAN)
}

/** Opens it before a film in which nothing is found yet. */
async function openCamera(page: Page, detector: string): Promise<void> {
  await page.evaluate(`${WATCH_CAMERA}; ${detector}; globalThis.blind = true`)
  await page.getByRole('button', { name: SCAN }).press('Enter')
  await until(page, `document.querySelector('video')?.videoWidth > 0`)
  await page.keyboard.press('Tab')
  assert.equal(await page.evaluate('document.activeElement.type'), 'file')
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

test('the console in a browser', { timeout: 120_000 }, async (t) => {
  if (!requireChromium(t)) return
  prepare()
  const [hub, api] = await Promise.all([adminHub(t, { hashmail: { enabled: true } }), startApi(t)])
  const { url, macaroon } = hub
  const alice = startNode(t, hub)
  const codes = await drawCodes(t, linkOf(await alice.phrase(), url))
  const browser = await launchChromium(t, codes.flags)
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
    await scanCode(page, codes)
    await page.getByText(`the node waits at ${url}`).waitFor()
    await page.getByRole('button', { name: 'Pair', exact: true }).click()
    await page.getByRole('status').getByText('Alice').waitFor()
    assert.match(String(await page.evaluate('document.activeElement.innerText')), /^Alice answers/)
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
    await assertFits(page, 'first-run-402')
    await page.getByRole('button', { name: 'Pay 10 sat and ask again' }).click()
    await page.getByText('The answer has status 200').waitFor()
    await page.getByText('"weather":"fair"').waitFor()
    await picture(page, 'first-run-paid')
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
    await page.getByLabel('Price', { exact: true }).fill('0')
    await page.getByText('must be at least 1;').waitFor()
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

  await t.test('who edits a service sees what others change of it, and keeps that', async () => {
    const price = page.getByLabel('Price', { exact: true })
    await page.getByLabel('Paths', { exact: true }).fill('')
    await hub.call('PUT', '/services/weather', { price: 14 })
    const overtaken = page.getByText('It was changed elsewhere meanwhile.')
    await overtaken.waitFor()
    assert.equal(await price.inputValue(), '14')
    await page.getByRole('button', { name: 'Save' }).click()
    await overtaken.waitFor({ state: 'detached' })
    assert.equal(await page.getByLabel('Paths', { exact: true }).inputValue(), '.*')
    const { body } = await hub.call('GET', '/services/weather')
    assert.deepEqual([body['price'], body['path_regexp']], ['14', '.*'])
    await show(page, 'services')
    await hub.call('PUT', '/services/weather', { price: 12, path_regexp: '^/weather' })
    await page.getByRole('region', { name: 'Services' }).getByText('12 sat').waitFor()
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
    // Browsers take years that are no times to the hub.
    await page.getByLabel('Paid from').fill('20200-01-01')
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

  await t.test('a session that ends elsewhere is said to have ended', async (t) => {
    const other = await openWindow(t, browser)
    await logIn(other.page, hub)
    await other.context.clearCookies()
    await show(other.page, 'nodes')
    await other.page.getByRole('alert').getByText('The session has ended').waitFor()
    await other.page.getByLabel('Or log in with a macaroon').fill(macaroon)
    await other.page.getByRole('button', { name: 'Log in' }).click()
    await other.page.getByRole('heading', { name: 'Nodes', level: 1 }).waitFor()
    await other.context.close()
  })

  await t.test('on a port of its own it is the same', async (t) => {
    const { hub, macaroon } = await adminHub(t, OWN_PORT)
    const admin = hub.adminAddress ?? assert.fail('no port')
    const client = createAdminClient(admin, macaroon)
    await client.createService({ name: 'weather', address: api, price: '10' })
    const { context, page, problems } = await openWindow(t, browser)
    await page.goto(admin + (await client.createLoginLink()).path)
    await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor()
    await page.getByText('live', { exact: true }).waitFor()
    await show(page, 'service/weather')
    await page.getByLabel('Price', { exact: true }).fill('12')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('region', { name: 'Prices' }).getByText('12 sat').waitFor()
    const { services } = await client.listServices()
    assert.deepEqual(
      services.map(({ price }) => price),
      ['12'],
    )
    assert.deepEqual(problems, [])
    await context.close()
  })

  for (const [size, colorScheme, rules] of LOOKS) {
    await t.test(`every page fits and is accessible, ${size} and ${colorScheme}`, async () => {
      await page.setViewportSize(SIZES[size])
      await page.emulateMedia({ colorScheme })
      for (const name of [...PAGES, 'service/weather']) {
        await show(page, name)
        await assertFits(page, `${size}-${name.replace('/', '-') || 'overview'}`, rules)
      }
      await show(page, 'nodes')
      await openCamera(page, codes.detector)
      await assertFits(page, `${size}-camera`, rules)
      await show(page, '')
      assert.deepEqual(await page.evaluate(TRACKS), ['ended'], 'the camera goes off')
      assert.deepEqual(problems, [])
    })
  }

  await t.test(
    'the keyboard goes to the content first, and a deleted service is gone',
    async () => {
      await show(page, 'service/weather')
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
