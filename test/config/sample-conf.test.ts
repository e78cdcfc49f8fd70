import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import { parse } from 'yaml'
import { readDocument } from '../../src/config/document.ts'
import { namesAt } from '../../src/config/keys.ts'
import { type Config, loadConfig } from '../../src/config/load.ts'
import { isMap, type Path } from '../../src/config/tree.ts'

const file = path.resolve(import.meta.dirname, '../../sample-conf.yaml')
const sample = readFileSync(file, 'utf8')
/** The sample with its commented example of a service switched on. */
const whole = sample.replace('services: []', 'services:').replaceAll(/^#( {2,}.*)$/gm, '$1')

const surroundings = { home: '/home/alice', env: {} }

function forgetPlace({ configfile: _, ...config }: Config): object {
  return config
}

test('the sample changes nothing: it holds the defaults', () => {
  const sampled = loadConfig({ configfile: file, surroundings })
  const standard = loadConfig({ configfile: false, surroundings })
  assert.deepEqual(forgetPlace(sampled), forgetPlace(standard))
})

test('the sample names every key of the schema, and no other', () => {
  const { root } = readDocument(whole, 'sample')
  const compare = (value: unknown, at: Path) => {
    const names = namesAt(at)
    if (names.length === 0) return
    const map: unknown = Array.isArray(value) ? value[0] : value
    assert.ok(isMap(map), `${at.join('.')} is not shown with its keys`)
    assert.deepEqual(Object.keys(map).sort(), [...names].sort(), `keys of "${at.join('.')}"`)
    for (const name of names) compare(map[name], [...at, name])
  }
  compare(root, [])
})

test('the example of a service is valid', () => {
  const values = parse(whole) as Record<string, unknown>
  const { services } = loadConfig({ configfile: false, values, surroundings })
  assert.equal(services.length, 1)
  assert.deepEqual(services[0]?.auth, { level: 'freebie', free: 3 })
})
