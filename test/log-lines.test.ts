import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock } from '../src/base/clock.ts'
import { silentLog } from '../src/base/log.ts'
import { LogLines } from '../src/log-lines.ts'

test('lines are read on from a cursor, each once, also past those that were dropped', () => {
  const kept = new LogLines(new ManualClock(0), false)
  const log = kept.beside(silentLog)
  const texts = (cursor: string, level: 'info' | 'warn' = 'info', limit = 1_000) => {
    const part = kept.after(cursor, level, limit)
    return { ...part, lines: part.lines.map(({ text }) => text) }
  }
  const start = kept.cursor
  assert.deepEqual(texts(start), { lines: [], cursor: start })
  for (const text of ['a', 'b', 'c']) log.info({}, text)
  log.warn({}, 'd')
  const half = texts(start, 'info', 2)
  assert.deepEqual(half.lines, ['a', 'b'])
  assert.deepEqual(texts(half.cursor).lines, ['c', 'd'])
  assert.equal(texts(half.cursor).cursor, kept.cursor)
  const bad = texts(start, 'warn')
  assert.deepEqual(
    [bad.lines, bad.cursor],
    [['d'], kept.cursor],
    'the others need not be seen again',
  )
  for (const foreign of ['', 'x', `${start.split('.')[0]}`, 'another.99']) {
    assert.deepEqual(texts(foreign).lines, ['a', 'b', 'c', 'd'], foreign)
  }
  const seen = kept.cursor
  for (let n = 0; n < 5_000; n++) log.info({}, String(n))
  const rest: string[] = []
  for (let at = seen; ;) {
    const { lines, cursor } = texts(at)
    if (lines.length === 0) break
    rest.push(...lines)
    at = cursor
  }
  assert.deepEqual([rest.at(-1), new Set(rest).size], ['4999', rest.length])
  assert.ok(rest.length >= 2_000 && rest.length < 4_000)
})
