/** How long requests wait for an invoice of a node that is 300 ms away. */
import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { DEFAULTS, pass, stage, withPool } from './stage.ts'

const ROUND_TRIP_MS = 300
const PER_SECOND = 200

/** The same numbers in every run (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Infinity

interface Load {
  readonly gapMs: () => number
  readonly roundTripMs: () => number
  readonly seconds: number
  readonly perprice?: number
}

/** Waits in milliseconds, in the order of the requests. */
async function waits({ gapMs, roundTripMs, seconds, perprice = 64 }: Load) {
  const { clock, node, invoices, ask } = stage({ options: withPool({ perprice }), roundTripMs })
  const waited: Promise<number>[] = []
  while (clock.now() < seconds * 1_000) {
    const askedAt = clock.now()
    waited.push(ask().then(() => clock.now() - askedAt))
    await pass(clock, gapMs())
  }
  await pass(clock, 5_000)
  const all = await Promise.all(waited)
  const made = node.invoices.size
  const ready = invoices.state[0]?.ready ?? 0
  await invoices.close()
  return { all, made, ready, mostCalls: node.mostCalls }
}

function report(t: Pick<TestContext, 'diagnostic'>, name: string, all: readonly number[]) {
  const cold = all.slice(0, PER_SECOND)
  const warm = all.slice(PER_SECOND).sort((a, b) => a - b)
  const waited = cold.filter((ms) => ms > 5).length
  const [p50, p99, most] = [percentile(warm, 0.5), percentile(warm, 0.99), percentile(warm, 1)]
  t.diagnostic(
    `${name}: of the first ${PER_SECOND} requests ${waited} waited; then p50 ${p50.toFixed(1)} ms, ` +
      `p99 ${p99.toFixed(1)} ms, most ${most.toFixed(1)} ms`,
  )
  return { waited, p50, p99 }
}

const fixed = () => ROUND_TRIP_MS
const evenly = () => 1_000 / PER_SECOND
const atRandom = (random: () => number) => () => (-Math.log(1 - random()) * 1_000) / PER_SECOND
/** A round trip with a tail, such as a busy relay gives. */
const uneven = (random: () => number) => () => ROUND_TRIP_MS * (0.9 + 0.1 / (1 - 0.95 * random()))

test('evenly spaced requests at 200/s do not wait once the pool is warm', async (t) => {
  const { all } = await waits({ gapMs: evenly, roundTripMs: fixed, seconds: 10 })
  const { waited, p50, p99 } = report(t, 'even, 64 a price', all)
  assert.ok(p50 <= 5, `p50 ${p50}`)
  assert.ok(p99 <= 25, `p99 ${p99}`)
  assert.ok(waited <= 100, `${waited} waited`)
})

test('requests at random at 200/s do not wait once the pool is warm', async (t) => {
  for (const perprice of [64, 256]) {
    const random = randomOf(1)
    const load = { gapMs: atRandom(random), roundTripMs: uneven(random), seconds: 10 }
    const { all } = await waits({ ...load, perprice })
    const { p50, p99 } = report(t, `at random, ${perprice} a price`, all)
    if (perprice < 256) continue
    assert.ok(p50 <= 5, `p50 ${p50}`)
    assert.ok(p99 <= 25, `p99 ${p99}`)
  }
})

test('a price asked for now and then has few invoices ready', async () => {
  const gaps = { gapMs: () => 10_000, roundTripMs: fixed, seconds: 300 }
  const { all, ready, made } = await waits(gaps)
  assert.deepEqual(all.filter((ms) => ms > 0).length, 1, 'only the very first waits')
  assert.ok(ready <= 8, `${ready} ready`)
  assert.ok(made <= all.length + 8, `${made} made for ${all.length}`)
})

test('32 at once from nothing: all are served within a second, and the pool stays in its bounds', async () => {
  const { clock, node, invoices, ask } = stage({ roundTripMs: fixed })
  const waited = Array.from({ length: 32 }, () => ask().then(() => clock.now()))
  await pass(clock, 1_000)
  for (const at of await Promise.all(waited)) assert.ok(at <= 1_000)
  await pass(clock, 5_000)
  const ready = invoices.state[0]?.ready ?? 0
  assert.ok(ready <= DEFAULTS.pool.perprice, `${ready} ready`)
  assert.ok(node.invoices.size <= 32 + DEFAULTS.pool.perprice)
  await invoices.close()
})
