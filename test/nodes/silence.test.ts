/** A node's end that dies without a word, behind a real relay: how soon the hub knows. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { listen } from '../../mailbox/listen/listen.ts'
import { memoryStore } from '../../mailbox/pairing/pairing.ts'
import { delayProxy } from '../interop/delay-proxy.ts'
import { lasting, until } from '../mailbox/ends.ts'
import { moment } from '../moment.ts'
import { ready, setUpNode } from './setup.ts'

const TERMS = { amountMsat: 21_000n, memo: 'L402', expirySeconds: 600, timeoutMs: 10_000 }
const ROUND_TRIP_MS = 300

test('a node whose machine is cut off is away in some two seconds, its calls refused at once, and back when it is back', async (t) => {
  const { relay, simulated, nodes, pairing, use } = await setUpNode(t)
  const [, port] = relay.mailbox.split(':')
  const far = use(await delayProxy(`127.0.0.1:${port}`, ROUND_TRIP_MS / 2))
  const listener = use(
    await listen({
      mailbox: far.address,
      ca: relay.ca,
      server: simulated.server,
      store: memoryStore(),
      authData: `Macaroon: ${simulated.adminMacaroon}`,
    }),
  )
  const running = await nodes({ authenticator: pairing(listener.phrase) })
  const node = running.get(undefined) ?? assert.fail('no node')
  await (await ready(node)).addInvoice(TERMS)

  far.cut()
  const waiting = Promise.allSettled([node.addInvoice(TERMS), node.addInvoice(TERMS)])
  const knownMs = await lasting(waiting)
  for (const { status } of await waiting) assert.equal(status, 'rejected')
  assert.ok(knownMs < 4_000, `refused after ${knownMs} ms`)
  assert.equal(node.state, 'away')
  assert.match(node.reason?.message ?? '', /stopped to answer/)
  const refused = assert.rejects(node.addInvoice(TERMS), { code: 'ERR_NODE_OFFLINE' })
  const waits = moment().then(() => assert.fail('a node that is away is not waited for'))
  await Promise.race([refused, waits])

  far.mend()
  await until(() => node.state === 'ready')
  assert.ok(await node.addInvoice(TERMS))
})
