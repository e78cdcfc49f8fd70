import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { connect } from '../../mailbox/connect/node.ts'
import { type Listener, listen } from '../../mailbox/listen/listen.ts'
import { memoryStore, type PairingStore } from '../../mailbox/pairing/pairing.ts'
import { ManualClock } from '../../src/base/clock.ts'
import type { Log } from '../../src/base/log.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { HubNode } from '../../src/nodes/hub-node.ts'
import { openNodes, type Nodes, type NodesOptions } from '../../src/nodes/nodes.ts'
import { RowEditor } from '../../src/nodes/row-editor.ts'
import { sealedStore } from '../../src/nodes/sealed-store.ts'
import { nodeSecret } from '../../src/nodes/secret.ts'
import { createSimulatedNode, type SimulatedNodeOptions } from '../../src/sandbox/simulated-node.ts'
import { until } from '../mailbox/ends.ts'
import { testRelay } from '../mailbox/test-relay.ts'
import { memoryRows } from './memory-rows.ts'

const CONNECTED_WITHIN_MS = 60_000

/** A folder that is gone after the test. */
export function folder(t: TestContext): string {
  const made = mkdtempSync(path.join(os.tmpdir(), 'pinhole-nodes-'))
  t.after(() => rmSync(made, { recursive: true }))
  return made
}

/** The `authenticator` section of a configuration with `values` in it. */
export const authenticator = (values: Readonly<Record<string, unknown>> = {}) =>
  loadConfig({ configfile: false, values: { authenticator: values } }).authenticator

/** Keeps what is logged, as text. */
export function recordingLog(): { readonly log: Log; readonly lines: string[] } {
  const lines: string[] = []
  const write = (fields: object, message: string) =>
    void lines.push(`${message} ${JSON.stringify(fields)}`)
  const log: Log = { debug: write, info: write, warn: write, error: write, child: () => log }
  return { log, lines }
}

/** `node` once it is connected: whoever asks a line that comes about is refused after `AWAY_AFTER_MS` of real time. */
export async function ready(node: HubNode | undefined): Promise<HubNode> {
  assert.ok(node)
  await until(() => node.state === 'ready', CONNECTED_WITHIN_MS)
  return node
}

/** A relay, a simulated node behind it that can die and come back, and rows of a hub. */
export async function setUpNode(t: TestContext, options: SimulatedNodeOptions = { alias: 'Bob' }) {
  const relay = await testRelay()
  const simulated = createSimulatedNode(options)
  const rows = memoryRows()
  const basedir = folder(t)
  const things: { close(): Promise<void> }[] = []
  t.after(async () => {
    for (const thing of things.reverse()) await thing.close()
    simulated.server.forceShutdown()
    await relay.kill()
  })
  const use = <T extends { close(): Promise<void> }>(thing: T): T => {
    things.push(thing)
    return thing
  }
  /** Lets the node wait at the relay; with the same store it is the same session. */
  const session = async (
    store: PairingStore = memoryStore(),
    macaroon = simulated.adminMacaroon,
  ): Promise<Listener> => {
    const { mailbox, ca } = relay
    const authData = `Macaroon: ${macaroon}`
    return use(await listen({ mailbox, ca, server: simulated.server, store, authData }))
  }
  const secret = nodeSecret({ basedir })
  const nodes = async (more: Partial<NodesOptions> = {}): Promise<Nodes> => {
    const base = { rows, secret, authenticator: authenticator(), ca: relay.ca }
    return use(await openNodes({ ...base, ...more }))
  }
  /** The configuration that pairs with `phrase`. */
  const pairing = (phrase: string | undefined, more: Readonly<Record<string, unknown>> = {}) =>
    authenticator({
      passphrase: phrase,
      mailboxaddress: relay.mailbox,
      network: 'regtest',
      ...more,
    })
  /** Pairs one more session under `name` and hangs up. */
  const paired = async (name: string, createdAtMs: number): Promise<void> => {
    const { phrase } = await session()
    const clock = new ManualClock(createdAtMs)
    const editor = new RowEditor(rows)
    const store = sealedStore({ editor, secret, name, insecureTls: false, clock })
    await (await connect({ mailbox: relay.mailbox, ca: relay.ca, phrase, store })).close()
  }
  return { relay, simulated, rows, basedir, secret, use, session, nodes, pairing, paired }
}
