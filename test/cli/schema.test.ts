import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import { parse } from 'yaml'
import { z } from 'zod'
import { operations } from '../../src/admin/contract.ts'
import { KEYS } from '../../src/config/keys.ts'
import type { CommandShape } from '../../src/cli/command-tree.ts'
import type { JsonSchema } from '../../src/cli/config-schema.ts'
import { pinhole } from './pinhole.ts'

const root = path.resolve(import.meta.dirname, '../..')
const read = (file: string) => readFileSync(path.join(root, file), 'utf8')

async function schemaOf(...flags: readonly string[]) {
  const { code, json } = await pinhole('schema', ...flags)
  assert.equal(code, 0)
  return json() as JsonSchema
}

/** The part of `schema` for the key at `steps`. */
const partAt = (schema: JsonSchema, steps: readonly string[]): JsonSchema =>
  steps.reduce((part, step) => {
    const below = (part.properties as Record<string, JsonSchema> | undefined)?.[step]
    assert.ok(below, steps.join('.'))
    return below
  }, schema)

test('every key is in the schema, with its words and its default', async () => {
  const schema = await schemaOf()
  for (const key of KEYS) partAt(schema, key.path)
  const { description, default: standard } = partAt(schema, ['hashmail', 'staletimeout'])
  assert.equal(standard, '1h')
  assert.match(String(description), /^A box that nobody reads or writes is removed/)
  assert.match(String(partAt(schema, ['listenaddr']).description), /^Where to listen/)
  const { items } = partAt(schema, ['services']) as { items: JsonSchema }
  const price = partAt(items, ['price'])
  assert.equal(price.description, 'Satoshis for a token.')
  assert.equal(price.default, undefined, 'an example is no default')
  assert.match(String(partAt(schema, ['sqlite', 'dbfile']).description), /as databasefilename/)
  partAt(items, ['dynamicprice', 'enbled'])
})

test('the schema takes what loading takes and refuses unknown keys', async () => {
  const schema = z.fromJSONSchema(await schemaOf())
  const whole = read('sample-conf.yaml')
    .replace('services: []', 'services:')
    .replaceAll(/^#( {2,}.*)$/gm, '$1')
  const good = schema.safeParse(parse(whole))
  assert.deepEqual(good.error?.issues ?? [], [])
  const port = parse('listenaddr: 8081\nservername: true\nlimits: {headerbytes: 65536}') as unknown
  assert.ok(schema.safeParse(port).success, 'text may be written as any scalar')
  for (const bad of [
    { listenadr: 'a:1' },
    { hashmail: { enabled: 3 } },
    { services: [{ x: 1 }] },
  ]) {
    assert.equal(schema.safeParse(bad).success, false, JSON.stringify(bad))
  }
})

test('--openapi has every operation, --commands every command', async () => {
  const { paths } = (await schemaOf('--openapi')) as { paths: Record<string, object> }
  const count = Object.values(paths).flatMap((methods) => Object.keys(methods)).length
  assert.equal(count, Object.keys(operations).length)
  const tree = (await schemaOf('--commands')) as unknown as CommandShape
  const service = tree.commands.find(({ name }) => name === 'service')
  const add = service?.commands.find(({ name }) => name === 'add')
  assert.equal(add?.path, 'pinhole service add')
  assert.deepEqual(
    add.flags.find(({ names }) => names.includes('--protocol')),
    {
      names: ['--protocol'],
      summary: 'spoken there (http)',
      takes: { kind: 'choice', choices: ['http', 'https', 'h2c'], optional: false },
    },
  )
  assert.equal((await pinhole('schema', '--openapi', '--commands')).code, 2)
})
