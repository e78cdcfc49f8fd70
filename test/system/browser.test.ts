/** `pinhole/lnc/browser` in a real browser: pairs with a node over our relay, calls it, meets it again. */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import test, { type TestContext } from 'node:test'

import { build } from 'esbuild'
import type { Page } from 'playwright-core'

import type * as browserEntry from '../../mailbox/browser.ts'
import { silentLog } from '../../src/base/log.ts'
import { createSandbox, sandboxConfig } from '../../src/sandbox/sandbox.ts'
import { launchChromium, requireChromium } from './chromium.ts'

/** A page of our own on loopback that has the library as `globalThis.pinhole`. */
async function servePage(t: TestContext): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [path.resolve(import.meta.dirname, '../../mailbox/browser.ts')],
    bundle: true,
    minify: true,
    format: 'iife',
    globalName: 'pinhole',
    platform: 'browser',
    write: false,
  })
  const script = outputFiles[0]?.contents ?? new Uint8Array()
  const server = createServer((request, response) => {
    const isScript = request.url === '/lnc.js'
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html')
    response.end(isScript ? script : '<!doctype html><script src="/lnc.js"></script>')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

async function openPage(t: TestContext, url: string, problems: string[]): Promise<Page> {
  const browser = await launchChromium(t)
  const page = await browser.newPage()
  page.on('pageerror', (error) => problems.push(error.message))
  await page.goto(url)
  return page
}

test(
  'a page pairs with a node, calls it, and meets it again by keys',
  { timeout: 60_000 },
  async (t) => {
    if (!requireChromium(t)) return
    const sandbox = createSandbox(sandboxConfig({ listenaddr: '127.0.0.1:0' }), silentLog)
    t.after(() => sandbox.close())
    const mailbox = await sandbox.listen()
    const problems: string[] = []
    const page = await openPage(t, await servePage(t), problems)

    const said = await page.evaluate(
      async ({ mailbox, phrase }) => {
        const { connect, memoryStore, isPinholeError } = (
          globalThis as unknown as { pinhole: typeof browserEntry }
        ).pinhole
        const store = memoryStore()
        const typo = await connect({ mailbox, phrase: phrase.replace(/^\w+/, 'zzzz') }).catch(
          (error: unknown) => (isPinholeError(error) ? error.code : String(error)),
        )
        const node = await connect({ mailbox, phrase, store })
        const { alias } = await node.getInfo()
        const first = await node.addInvoice({ valueMsat: 21_000n, memo: 'm'.repeat(300) })
        const { paymentRequest } = await node.addInvoice({ valueMsat: 1000n })
        let seen = ''
        for await (const invoice of node.subscribeInvoices({ addIndex: first.addIndex })) {
          seen = invoice.paymentRequest
          break
        }
        await node.close()
        const again = await connect({ mailbox, store })
        const { identityPubkey } = await again.getInfo()
        await again.close()
        return { typo, alias, paymentRequest, seen, identityPubkey }
      },
      { mailbox, phrase: sandbox.node?.phrase ?? '' },
    )

    assert.equal(said.typo, 'ERR_PHRASE_UNKNOWN_WORD')
    assert.equal(said.alias, 'sandbox')
    assert.equal(said.identityPubkey, sandbox.node?.pubkey)
    assert.match(said.paymentRequest, /^ln/)
    assert.equal(said.seen, said.paymentRequest)
    assert.deepEqual(problems, [])
  },
)
