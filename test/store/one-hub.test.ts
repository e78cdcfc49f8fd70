/** One hub for one database: who comes second waits for the end of the first, and is refused after a while. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, statSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import { ManualClock } from '../../src/base/clock.ts'
import { isPinholeError } from '../../src/base/errors.ts'
import { silentLog } from '../../src/base/log.ts'
import { type Hold, holdDatabase, PREDECESSOR_MS } from '../../src/store/one-hub.ts'
import { openStore } from '../../src/store/store.ts'
import { freshFile } from './folder.ts'

/** A file in a folder that is there. */
function place(): string {
  const file = freshFile()
  mkdirSync(path.dirname(file), { recursive: true })
  return file
}

const hold = (file: string, clock = new ManualClock(), log = silentLog) =>
  holdDatabase(file, { clock, log })

const isInUse = (file: string) => (error: unknown) =>
  isPinholeError(error, 'ERR_STORE_IN_USE') && error.message.includes(file)

/** Lets `second` come to its end while time passes. */
async function pass<T>(clock: ManualClock, second: Promise<T>, ms: number): Promise<T> {
  let ended = false
  const end = () => void (ended = true)
  second.then(end, end)
  for (let passed = 0; passed <= ms && !ended; passed += 100) {
    clock.advance(100)
    await new Promise((resolve) => setImmediate(resolve))
  }
  return second
}

test('a second hub is told, waits, and is refused with the file named', async () => {
  const file = place()
  const first = await hold(file)
  assert.deepEqual(readdirSync(path.dirname(file)), ['pinhole.db.lock'])
  assert.equal(statSync(`${file}.lock`).mode & 0o777, 0o600)
  const clock = new ManualClock()
  const said: string[] = []
  const log = { ...silentLog, warn: (_: unknown, text: string) => void said.push(text) }
  await assert.rejects(pass(clock, hold(file, clock, log), PREDECESSOR_MS + 200), isInUse(file))
  assert.equal(said.length, 1)
  // Being refused does not take it from the first.
  const again = new ManualClock()
  await assert.rejects(pass(again, hold(file, again), PREDECESSOR_MS + 200), isInUse(file))
  first.release()
})

test('a hub that ends lets in who waits, and commands work beside it', async () => {
  const file = place()
  const first = await hold(file)
  const beside = openStore(file)
  await beside.close()
  const clock = new ManualClock()
  const second = hold(file, clock)
  first.release()
  ;(await pass(clock, second, 1_000)).release()
})

test('another name of the database is the same database', async () => {
  const file = place()
  await openStore(file).close()
  const name = path.join(path.dirname(file), 'other.db')
  symlinkSync(file, name)
  const first = await hold(file)
  const clock = new ManualClock()
  await assert.rejects(pass(clock, hold(name, clock), PREDECESSOR_MS + 200), isInUse(name))
  first.release()
})

/** Holds as another process would. */
const HOLDER = `
const database = new (require('better-sqlite3'))(process.argv[1])
database.exec('BEGIN EXCLUSIVE')
process.stdout.write('held')
setInterval(() => {}, 1e6)`

test('a hub that is killed holds nothing', async () => {
  const file = place()
  const other = spawn(process.execPath, ['-e', HOLDER, `${file}.lock`])
  await once(other.stdout, 'data')
  const clock = new ManualClock()
  const second: Promise<Hold> = hold(file, clock)
  const refused = await Promise.race([
    second.then(() => 'taken'),
    new Promise((resolve) => setImmediate(() => resolve('waits'))),
  ])
  assert.equal(refused, 'waits')
  other.kill('SIGKILL')
  await once(other, 'exit')
  ;(await pass(clock, second, 1_000)).release()
})
