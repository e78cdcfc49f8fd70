import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { statSync, symlinkSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test, { type TestContext } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { bothLogs } from '../src/base/log.ts'
import { LogFile, type LogFileOptions } from '../src/log-file.ts'
import { createLogger } from '../src/logger.ts'

function open(t: TestContext, change: Partial<LogFileOptions> = {}) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'pinhole-log-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = path.join(folder, 'deep', 'pinhole.log')
  const troubles: unknown[] = []
  const options = { file, maxBytes: 100, maxFiles: 2, compressor: 'gzip', ...change } as const
  const log = new LogFile(options, (error) => troubles.push(error))
  return { log, file, troubles, names: () => readdirSync(path.dirname(file)).sort() }
}

const noFull = existsSync('/dev/full') ? false : 'this machine has no /dev/full'
const line = (n: number) => `${'x'.repeat(40)} ${n}\n`

test('a file is moved aside before it is too long, compressed, and forgotten in time', async (t) => {
  const { log, file, names, troubles } = open(t)
  for (let n = 1; n <= 9; n++) log.write(line(n))
  await log.close()
  assert.deepEqual(names(), ['pinhole.log', 'pinhole.log.3.gz', 'pinhole.log.4.gz'])
  assert.equal(readFileSync(file, 'utf8'), line(9))
  const older = gunzipSync(readFileSync(`${file}.4.gz`)).toString()
  assert.equal(older, line(7) + line(8))
  for (const name of names()) {
    assert.equal(statSync(path.join(path.dirname(file), name)).mode & 0o777, 0o600)
  }
  assert.deepEqual(troubles, [])
})

test('the next run goes on where the last one ended, and numbers go on too', async (t) => {
  const { log, file, names } = open(t, { maxFiles: 0 })
  for (let n = 1; n <= 3; n++) log.write(line(n))
  await log.close()
  const next = new LogFile({ file, maxBytes: 100, maxFiles: 0, compressor: 'gzip' }, () => {
    assert.fail()
  })
  for (let n = 4; n <= 5; n++) next.write(line(n))
  await next.close()
  assert.deepEqual(names(), ['pinhole.log', 'pinhole.log.1.gz', 'pinhole.log.2.gz'])
  assert.equal(gunzipSync(readFileSync(`${file}.2.gz`)).toString(), line(3) + line(4))
})

test('a log that was closed is closed once, and takes no more lines', async (t) => {
  const { log, file, troubles } = open(t)
  log.write(line(1))
  await log.close()
  await log.close()
  log.write(line(2))
  assert.equal(readFileSync(file, 'utf8'), line(1))
  assert.deepEqual(troubles, [])
})

test('what cannot be written is told once, and nothing fails', async (t) => {
  const { log, file, troubles } = open(t)
  rmSync(path.dirname(file), { recursive: true })
  for (let n = 1; n <= 9; n++) log.write(line(n))
  assert.equal(troubles.length, 1)
  await log.close()
})

test('one log writes to two, each with its level, children too', () => {
  const shown: string[] = []
  const kept: string[] = []
  const to = (lines: string[]) => ({ write: (text: string) => void lines.push(text) })
  const log = bothLogs(
    createLogger({ debuglevel: 'warn' }, to(shown)),
    createLogger({ debuglevel: 'debug' }, to(kept)),
  )
  log.child({ part: 'relay' }).debug({ token: 'abc' }, 'one')
  log.info({}, 'two')
  log.warn({}, 'three')
  log.error({}, 'four')
  assert.equal(shown.length, 2)
  assert.equal(kept.length, 4)
  assert.match(kept[0] ?? '', /"part":"relay","token":"\[redacted\]"/)
})

test('goes on in a new file where somebody has moved the old one away', async (t) => {
  const { log, file, troubles } = open(t)
  log.write(line(1))
  renameSync(file, `${file}.old`)
  log.write(line(2))
  log.reopen()
  log.write(line(3))
  rmSync(path.dirname(file), { recursive: true })
  log.reopen()
  log.write(line(4))
  assert.equal(readFileSync(file, 'utf8'), line(4))
  await log.close()
  log.reopen()
  assert.deepEqual(troubles, [])
})

test(
  'a disk that is full is told of once, and again when it is full anew',
  { skip: noFull },
  async (t) => {
    const { log, file, troubles } = open(t, { maxBytes: 0 })
    // Takes nothing, as a disk that is full.
    symlinkSync('/dev/full', `${file}.full`)
    renameSync(`${file}.full`, file)
    log.reopen()
    log.write(line(1))
    log.write(line(2))
    assert.equal(troubles.length, 1, 'told once')
    rmSync(file)
    log.reopen()
    log.write(line(3))
    assert.equal(readFileSync(file, 'utf8'), line(3))
    rmSync(file)
    symlinkSync('/dev/full', file)
    log.reopen()
    log.write(line(4))
    assert.equal(troubles.length, 2, 'told again when it begins anew')
    await log.close()
  },
)
