import assert from 'node:assert/strict'
import test from 'node:test'
import { type Config, createHub, loadConfig, type LoadOptions } from '../src/index.ts'

test('a configuration by name, or one that was not loaded, is no quiet default', () => {
  const load = (options: unknown) => () => loadConfig(options as LoadOptions)
  assert.throws(load('pinhole.yaml'), { name: 'TypeError', message: /not a string/ })
  assert.throws(load(null), { name: 'TypeError', message: /not null/ })
  assert.throws(load({ configfile: false, values: 'x' }), { name: 'TypeError', message: /values/ })
  for (const config of [undefined, {}, Promise.resolve({}), { listenaddr: 'localhost:0' }]) {
    const make = () => createHub(config as unknown as Config)
    assert.throws(make, { name: 'TypeError', message: /loadConfig/ })
  }
})
