import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import { databasePlace } from '../../../src/store/aperture/beside.ts'
import { withStore, freshFile } from '../folder.ts'
import { makeAperture } from './fixture.ts'

test('beside the database of an Aperture we keep our own', () => {
  const { file, database } = makeAperture()
  database.pragma('journal_mode = WAL')
  const folder = path.dirname(file)
  const content = () => readdirSync(folder).map((name) => readFileSync(path.join(folder, name)))
  const expected = { file: path.join(folder, 'pinhole.db'), aperture: file }
  assert.deepEqual(databasePlace(file), expected, 'while it runs')
  assert.equal(content().length, 3)
  database.close()
  const closed = content()
  assert.equal(closed.length, 1)
  assert.deepEqual(databasePlace(file), expected)
  assert.deepEqual(content(), closed)
})

test('any other file that is configured is the one', async () => {
  const missing = freshFile()
  assert.deepEqual(databasePlace(missing), { file: missing, aperture: undefined })
  await withStore(async (_store, file) => {
    assert.deepEqual(databasePlace(file), { file, aperture: undefined })
    const nonsense = path.join(path.dirname(file), 'nonsense.db')
    writeFileSync(nonsense, 'no database')
    assert.deepEqual(databasePlace(nonsense), { file: nonsense, aperture: undefined })
  })
})
