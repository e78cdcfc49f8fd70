import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock, systemClock } from '../../src/base/clock.ts'

test('a manual clock fires timers in the order of their time, then of their making', () => {
  const clock = new ManualClock()
  const fired: string[] = []
  clock.after(20, () => fired.push('late'))
  clock.after(10, () => fired.push('first'))
  clock.after(10, () => fired.push('second'))
  clock.advance(9)
  assert.deepEqual(fired, [])
  assert.equal(clock.next(), 10)
  clock.advance(11)
  assert.deepEqual(fired, ['first', 'second', 'late'])
  assert.equal(clock.next(), undefined)
})

test('a timer set by a timer fires in the same advance when it falls due', () => {
  const clock = new ManualClock()
  const times: number[] = []
  const again = () => {
    times.push(clock.now())
    if (times.length < 4) clock.after(10, again)
  }
  clock.after(10, again)
  clock.advance(35)
  assert.deepEqual(times, [10, 20, 30])
  assert.equal(clock.now(), 35)
  clock.advance(5)
  assert.deepEqual(times, [10, 20, 30, 40])
})

test('a cancelled timer does not fire, and cancelling twice is harmless', () => {
  const clock = new ManualClock()
  const cancel = clock.after(10, () => assert.fail('cancelled'))
  cancel()
  cancel()
  clock.advance(100)
})

test('wall time and running time go together; a negative delay is none', () => {
  const clock = new ManualClock(1_000)
  clock.advance(500)
  assert.equal(clock.wall(), 1_500)
  let fired = false
  clock.after(-5, () => (fired = true))
  clock.advance(0)
  assert.ok(fired)
})

test('the system clock fires once, can be cancelled and never goes back', async () => {
  const before = systemClock.now()
  systemClock.after(1, () => assert.fail('cancelled'))()
  // The timer keeps no process alive, so this test holds a handle of its own meanwhile.
  const held = setTimeout(() => {}, 1_000)
  await new Promise<void>((resolve) => void systemClock.after(5, resolve))
  clearTimeout(held)
  assert.ok(systemClock.now() >= before + 4)
  assert.ok(Math.abs(systemClock.wall() - Date.now()) < 1_000)
})

test('a timer for longer than Node can set one waits all that time', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const month = 30 * 86_400_000
  const fired: string[] = []
  systemClock.after(month, () => fired.push('a month'))
  systemClock.after(Infinity, () => fired.push('never'))
  const cancel = systemClock.after(month, () => fired.push('cancelled'))
  const longestMs = 2 ** 31 - 1
  t.mock.timers.tick(longestMs)
  cancel()
  t.mock.timers.tick(month - longestMs - 1)
  assert.deepEqual(fired, [])
  t.mock.timers.tick(1)
  assert.deepEqual(fired, ['a month'])
})
