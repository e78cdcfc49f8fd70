import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import { run } from '../../src/cli/program.ts'
import { makeAperture } from '../store/aperture/fixture.ts'
import { freshFile } from '../store/folder.ts'

async function pinhole(isTTY: boolean, ...args: readonly string[]) {
  const texts = { out: '', err: '' }
  const output = {
    stdout: { isTTY, write: (text: string) => void (texts.out += text) },
    stderr: { isTTY, write: (text: string) => void (texts.err += text) },
  }
  return { code: await run(['import', ...args], output), ...texts }
}

function closedAperture(): string {
  const { file, database } = makeAperture()
  database.close()
  return file
}

test('a dry run counts, writes nothing and ends with 10', async () => {
  const source = closedAperture()
  const basedir = path.dirname(source)
  const { code, out } = await pinhole(false, source, '--dry-run', '--basedir', basedir)
  assert.equal(code, 10)
  assert.deepEqual(JSON.parse(out), {
    database: path.join(basedir, 'pinhole.db'),
    dryRun: true,
    secrets: 3,
    transactions: 3,
    services: 1,
    lncSessions: 1,
    onionKeys: 1,
    present: 0,
    skipped: 0,
    openMppSessions: 1,
    open: false,
  })
  assert.equal(existsSync(path.join(basedir, 'pinhole.db')), false)
})

test('the target is the one of the configuration, or the one named', async () => {
  const source = closedAperture()
  const basedir = path.dirname(source)
  const configured = path.join(basedir, 'shop.db')
  writeFileSync(
    path.join(basedir, 'aperture.yaml'),
    `sqlite:\n  dbfile: ${JSON.stringify(configured)}\n`,
  )
  assert.equal((await pinhole(false, source, '--basedir', basedir)).code, 0)
  assert.ok(existsSync(configured))
  const named = freshFile()
  assert.equal((await pinhole(false, source, '--basedir', basedir, '--into', named)).code, 0)
  assert.ok(existsSync(named))
})

test('where the configuration names the database of the Aperture, the target is beside it', async () => {
  const source = closedAperture()
  const folder = path.dirname(source)
  const configfile = path.join(folder, 'theirs.yaml')
  writeFileSync(configfile, `sqlite:\n  databasefilename: ${JSON.stringify(source)}\n`)
  const { code, out } = await pinhole(false, source, '--configfile', configfile)
  assert.equal(code, 0)
  assert.match(out, new RegExp(`"database":"${path.join(folder, 'pinhole.db')}"`))
})

test('a person sees a table, and is told what stays behind', async () => {
  const { file, database } = makeAperture()
  const { code, out, err } = await pinhole(true, file, '--into', freshFile())
  database.close()
  assert.equal(code, 0)
  assert.match(out, /^secrets {2}3$/m)
  assert.match(err, /was not closed/)
  assert.match(err, /1 prepaid sessions \(MPP\) stay/)
})

test('a wrong file ends with 1 and the way out', async () => {
  const { code, err } = await pinhole(false, '/nowhere/aperture.db', '--into', freshFile())
  assert.equal(code, 1)
  assert.match(err, /^pinhole: \/nowhere\/aperture\.db does not exist\nName the aperture\.db/)
  assert.match(err, /ERR_STORE_IMPORT/)
  assert.equal((await pinhole(false)).code, 2)
})
