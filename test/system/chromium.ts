/** The browser of the system tests: Debian's Chromium, with nothing that it does by itself. */
import { existsSync } from 'node:fs'
import type { TestContext } from 'node:test'
import { type Browser, chromium } from 'playwright-core'
import { leaveOut } from '../interop/peers.ts'

const CHROMIUM = '/usr/bin/chromium'
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Whether Chromium is there; if not, the test is skipped by name, or fails where nothing may be left out. */
export function requireChromium(t: TestContext): boolean {
  if (existsSync(CHROMIUM)) return true
  return leaveOut(t, `needs ${CHROMIUM}: install Debian's package chromium`)
}

/** A browser without any person's profile; it ends with the test. */
export async function launchChromium(
  t: TestContext,
  flags: readonly string[] = [],
): Promise<Browser> {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: [...FLAGS, ...flags] })
  t.after(() => browser.close())
  return browser
}
