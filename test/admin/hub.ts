/** A hub with nothing but its admin API, for one test. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import type { HubDeps } from '../../src/hub.ts'
import { createHub, type Hub, loadConfig } from '../../src/index.ts'

/** What a call of the REST face drew. */
export interface Drawn {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

/** A running hub and what tests ask of it. */
export interface AdminHub {
  readonly hub: Hub
  readonly url: string
  readonly basedir: string
  readonly macaroon: string
  /** Calls the REST face by the admin macaroon, or by another (`null` is none). */
  readonly call: (
    method: string,
    path: string,
    body?: unknown,
    macaroon?: string | null,
  ) => Promise<Drawn>
}

/** Starts a hub in `basedir`, or in a folder of its own that goes with the test. */
export async function adminHub(
  t: TestContext,
  values: Readonly<Record<string, unknown>> = {},
  folder?: string,
  deps: HubDeps = {},
): Promise<AdminHub> {
  const basedir = folder ?? mkdtempSync(path.join(os.tmpdir(), 'pinhole-admin-'))
  const config = loadConfig({
    basedir,
    configfile: false,
    values: { listenaddr: '127.0.0.1:0', insecure: true, admin: { enabled: true }, ...values },
  })
  const hub = createHub(config, deps)
  t.after(async () => {
    await hub.close()
    rmSync(basedir, { recursive: true, force: true })
  })
  const url = await hub.listen()
  const macaroon = readFileSync(path.join(basedir, 'admin.macaroon')).toString('hex')
  return {
    hub,
    url,
    basedir,
    macaroon,
    call: async (method, at, body, used = macaroon) => {
      const answer = await fetch(`${url}/api/admin${at}`, {
        method,
        headers: used === null ? {} : { 'Grpc-Metadata-Macaroon': used },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      const text = await answer.text()
      const read: unknown = text === '' ? {} : JSON.parse(text)
      if (typeof read !== 'object' || read === null) throw new TypeError(`no object: ${text}`)
      return { status: answer.status, body: { ...read } }
    },
  }
}
