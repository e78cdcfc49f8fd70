import assert from 'node:assert/strict'
import { renameSync } from 'node:fs'
import test from 'node:test'
import Sqlite from 'better-sqlite3'
import { ManualClock, systemClock } from '../../src/base/clock.ts'
import { isPinholeError } from '../../src/base/errors.ts'
import { silentLog } from '../../src/base/log.ts'
import { openDatabase } from '../../src/store/database.ts'
import { WriterThread } from '../../src/store/thread.ts'
import type { Outcome, Write } from '../../src/store/write.ts'
import { Writer } from '../../src/store/writer.ts'
import { freshFile } from './folder.ts'
import { hash, newToken } from './rows.ts'

const settle = (atMs: number): Write => ({ name: 'settle', paymentHash: hash(), atMs })
const turn = () => new Promise((resolve) => setImmediate(resolve))
const full = new Sqlite.SqliteError('database or disk is full', 'SQLITE_FULL')

/** A thread whose commits end when the test says so. */
function fakeThread() {
  const batches: { readonly times: readonly number[]; commit(): void; fail(): void }[] = []
  let closed = false
  const write = (writes: readonly Write[]) =>
    new Promise<readonly Outcome[]>((resolve, reject) => {
      const times = writes.map((one) => (one.name === 'settle' ? one.atMs : -1))
      const outcomes = writes.map((): Outcome => ({ name: 'done', changes: 1 }))
      batches.push({ times, commit: () => resolve(outcomes), fail: () => reject(full) })
    })
  const close = async () => void (closed = true)
  return { batches, thread: { write, close }, closed: () => closed }
}

function makeWriter() {
  const fake = fakeThread()
  const clock = new ManualClock()
  const writer = new Writer({ file: 'x.db', thread: fake.thread, clock, log: silentLog })
  return { ...fake, clock, writer }
}

test('writes of one turn share a commit, those that come meanwhile the next one, in order', async () => {
  const { writer, batches } = makeWriter()
  const done: number[] = []
  const ask = async (atMs: number) => {
    await writer.ask(settle(atMs))
    done.push(atMs)
  }
  const asked = [ask(1), ask(2)]
  writer.keep(settle(3))
  await turn()
  asked.push(ask(4))
  await turn()
  asked.push(ask(5))
  await turn()
  assert.deepEqual(
    batches.map(({ times }) => times),
    [[1, 2, 3]],
  )
  assert.deepEqual(done, [], 'told before the commit')
  batches[0]?.commit()
  await turn()
  await turn()
  assert.deepEqual(done, [1, 2])
  assert.deepEqual(batches[1]?.times, [4, 5])
  batches[1].commit()
  await Promise.all(asked)
})

test('a batch has an end', async () => {
  const { writer, batches } = makeWriter()
  for (let at = 0; at < 1_001; at++) writer.keep(settle(at))
  await turn()
  assert.equal(batches[0]?.times.length, 1_000)
  batches[0].commit()
  await turn()
  await turn()
  assert.deepEqual(batches[1]?.times, [1_000])
})

test('when the disk fails, those who wait are told, and the rest is written first next time', async () => {
  const { writer, batches } = makeWriter()
  writer.keep(settle(1))
  const lost = assert.rejects(
    writer.ask(settle(2)),
    (reason) => isPinholeError(reason, 'ERR_STORE_OPEN') && /disk is full/.test(reason.message),
  )
  writer.keep(settle(3))
  await turn()
  writer.keep(settle(4))
  batches[0]?.fail()
  await lost
  const next = writer.ask(settle(5))
  await turn()
  assert.deepEqual(batches[1]?.times, [1, 3, 4, 5])
  batches[1].commit()
  assert.equal(await next, 1)
})

test('what must be kept is tried again after a second when nobody else writes', async () => {
  const { writer, batches, clock } = makeWriter()
  let kept = 0
  writer.keep(settle(1), () => kept++)
  await turn()
  batches[0]?.fail()
  await turn()
  clock.advance(999)
  await turn()
  assert.equal(batches.length, 1)
  clock.advance(1)
  await turn()
  batches[1]?.commit()
  await turn()
  assert.equal(kept, 1)
})

test('closing waits for what is queued, and gives up what the disk does not take', async () => {
  const good = makeWriter()
  good.writer.keep(settle(1))
  const closing = good.writer.close()
  await turn()
  assert.equal(good.closed(), false)
  good.batches[0]?.commit()
  await closing
  assert.equal(good.closed(), true)

  const bad = makeWriter()
  bad.writer.keep(settle(1))
  const lost = assert.rejects(bad.writer.ask(settle(2)))
  const ending = bad.writer.close()
  await turn()
  bad.batches[0]?.fail()
  await ending
  await lost
  assert.equal(bad.batches.length, 1)
})

test('a thread that dies takes nobody with it', async () => {
  const file = freshFile()
  openDatabase(file).close()
  renameSync(file, `${file}.away`)
  const thread = new WriterThread(file)
  const writer = new Writer({ file, thread, clock: systemClock, log: silentLog })
  const token = newToken()
  await assert.rejects(writer.ask({ name: 'sell', token }), (reason) =>
    isPinholeError(reason, 'ERR_STORE_OPEN'),
  )
  renameSync(`${file}.away`, file)
  assert.equal(await writer.ask({ name: 'sell', token }), 1)
  await writer.close()
})
