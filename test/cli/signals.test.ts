import assert from 'node:assert/strict'
import test from 'node:test'
import { RELOAD_REST_MS, reloadOnSignal } from '../../src/cli/signals.ts'
import { ManualClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { loadConfig } from '../../src/config/load.ts'

const turn = () => new Promise((resolve) => setImmediate(resolve))

test('a burst of SIGHUP reads the configuration at once and once more, and none before the start', async (t) => {
  const clock = new ManualClock()
  const config = loadConfig({ configfile: false })
  let reads = 0
  let reloads = 0
  const read = () => {
    reads++
    return config
  }
  const others = new Set(process.listeners('SIGHUP'))
  let begin = () => {}
  const started = new Promise<void>((resolve) => (begin = resolve))
  reloadOnSignal({ reload: () => void reloads++ }, read, silentLog, { started, clock })
  const own = process.listeners('SIGHUP').filter((listener) => !others.has(listener))
  t.after(() => own.forEach((listener) => process.off('SIGHUP', listener)))
  const signal = () => own.forEach((listener) => listener('SIGHUP'))

  signal()
  await turn()
  assert.equal(reads, 0)
  begin()
  await turn()
  assert.deepEqual([reads, reloads], [1, 1])
  for (let sent = 0; sent < 150; sent++) signal()
  await turn()
  assert.equal(reads, 1)
  clock.advance(RELOAD_REST_MS)
  assert.equal(reads, 2)
  clock.advance(10 * RELOAD_REST_MS)
  assert.equal(reads, 2)
  signal()
  await turn()
  assert.deepEqual([reads, reloads], [3, 3])
})
