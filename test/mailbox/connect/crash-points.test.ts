/**
 * Kills either end between any two steps of a first pairing, and pairs again with the same phrase and the
 * same stores. A step is a message into or out of a box, or a save; whatever comes after the fatal one does
 * not happen, and nothing is said to the other end. The dead process's connections are then cut, and an end
 * that lives goes on by itself.
 */
import assert from 'node:assert/strict'
import test from 'node:test'

import { connectOn } from '../../../mailbox/connect/connect.ts'
import { listenOn } from '../../../mailbox/listen/listen.ts'
import { memoryStore, type PairingStore } from '../../../mailbox/pairing/pairing.ts'
import { utf8 } from '../../../src/base/bytes.ts'
import { mortalPlatform, setUpEnds, until, type Mortal } from '../ends.ts'

const HELLO = utf8('hello')

/** A store on a disk that outlives the process; each save is two steps: before it and after it. */
function mortalStore(disk: PairingStore, mortal: Mortal): PairingStore {
  return {
    load: () => disk.load(),
    save: async (pairing) => {
      if (!mortal.step('save')) throw new Error('the process is dead')
      await disk.save(pairing)
      if (!mortal.step('saved')) throw new Error('the process is dead')
    },
  }
}

type Victim = 'client' | 'node'

/** Pairs with `victim` dying before its step `fatal`, then again; gives the steps that the victim made. */
async function pairTwice(
  t: Parameters<typeof setUpEnds>[0],
  victim: Victim,
  fatal: number,
): Promise<readonly string[]> {
  const ends = await setUpEnds(t)
  // What is dead here still has to be let go of.
  const end = new AbortController()
  t.after(async () => end.abort())
  const forEver = { timeoutMs: Infinity, signal: end.signal }
  const disks = { client: memoryStore(), node: memoryStore() }
  const lives = {
    client: mortalPlatform(victim === 'client' ? fatal : Infinity),
    node: mortalPlatform(victim === 'node' ? fatal : Infinity),
  }
  const phrase = 'legal winner thank year wave sausage worth useful legal winner'
  const node = (mortal: Mortal) =>
    listenOn(mortal.platform)(
      ends.listening({ phrase, store: mortalStore(disks.node, mortal), ...forEver }),
    )
  const client = (mortal: Mortal) =>
    connectOn(mortal.platform)(
      ends.connecting({ phrase, store: mortalStore(disks.client, mortal), ...forEver }),
    )
  const things: Promise<{ close(): Promise<void> }>[] = [node(lives.node), client(lives.client)]
  const called = Promise.all(things).then(async ([, first]) => {
    const node = first as Awaited<ReturnType<typeof client>>
    await node.rpc.unary('/test.Echo/Unary', HELLO)
  })
  called.catch(() => {})
  const dead = lives[victim]
  const paired = called.catch((reason: unknown) => {
    if (dead.alive) throw reason
  })
  await Promise.race([paired, until(() => !dead.alive)])
  dead.die()
  ends.relay.cut()

  const reborn = mortalPlatform()
  const again = victim === 'node' ? node(reborn) : client(reborn)
  things.push(again)
  const survivor = things[victim === 'node' ? 1 : 0]
  const living = (await (victim === 'node' ? survivor : again)) as Awaited<
    ReturnType<typeof client>
  >
  await until(() => living.state.name === 'ready', 20_000)
  await withRetry(() => living.rpc.unary('/test.Echo/Unary', HELLO, { timeoutMs: 15_000 }))
  const kept = { client: await disks.client.load(), node: await disks.node.load() }
  assert.ok(kept.client?.remoteKey && kept.node?.remoteKey, 'both ends keep the other')
  await Promise.all([
    living.close(),
    victim === 'node' ? (await again).close() : (await things[0])?.close(),
  ])
  return dead.steps
}

/** A call that was on its way when the node died fails with a code; the next one goes through. */
async function withRetry(call: () => Promise<unknown>): Promise<void> {
  await call().catch(call)
}

for (const victim of ['client', 'node'] as const) {
  test(`the ${victim} dies at any step of a first pairing`, { concurrency: 6 }, async (t) => {
    const steps = await pairTwice(t, victim, Infinity)
    assert.ok(steps.length >= 10, 'the steps were not counted')
    const deaths = steps.map((step, fatal) =>
      t.test(`before step ${fatal}: ${step}`, async (s) => {
        await pairTwice(s, victim, fatal)
      }),
    )
    await Promise.all(deaths)
  })
}
