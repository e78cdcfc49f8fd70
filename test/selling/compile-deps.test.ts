import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test, { type TestContext } from 'node:test'
import { compileServices } from '../../proxy/compile.ts'
import { loadConfig } from '../../src/config/load.ts'
import { compileDeps } from '../../src/selling/compile-deps.ts'

/** The first line of what is wrong with the services of `yaml`, without the folder. */
function fault(t: TestContext, yaml: string): string {
  const basedir = mkdtempSync(path.join(os.tmpdir(), 'pinhole-positions-'))
  t.after(() => rmSync(basedir, { recursive: true }))
  const configfile = path.join(basedir, 'pinhole.yaml')
  writeFileSync(configfile, yaml)
  const config = loadConfig({ basedir, configfile })
  try {
    compileServices(config.services, compileDeps(config))
  } catch (error) {
    assert.ok(error instanceof Error)
    return error.message.replace(basedir, '')
  }
  return assert.fail('nothing is wrong')
}

const FIRST = 'services:\n  - name: one\n    address: localhost:1\n'

test('what is found wrong with a service once it is compiled says where it was written', (t) => {
  const cases = [
    [
      '    pathregexp: "("\n',
      /^\/pinhole\.yaml:4:17: service "one": pathregexp: must be a regular/,
    ],
    [
      '    ratelimits:\n      - { requests: 1, per: 1s, pathregexp: "(" }\n',
      /^\/pinhole\.yaml:5:45: service "one": ratelimits\[0\]\.pathregexp:/,
    ],
    ['    authwhitelistpaths:\n      - ok\n      - "["\n', /yaml:6:9: .*authwhitelistpaths\[1\]:/],
    ['    headers:\n      X-Key: ${NO_SUCH_VARIABLE}\n', /yaml:5:14: .*headers/],
    [
      '  - name: one\n    address: localhost:2\n',
      /yaml:4:11: service "one": name: must be the name of/,
    ],
  ] as const
  for (const [more, text] of cases) assert.match(fault(t, FIRST + more), text)
})

test('a key that is missing is looked for at its service', (t) => {
  assert.match(
    fault(t, 'services:\n  - price: 1\n    address: a:1\n'),
    /yaml:2:5: .*name: must be given/,
  )
})

test('services of a program have no place', () => {
  const values = { services: [{ name: 'a', address: 'a:1', pathregexp: '(' }] }
  const config = loadConfig({ configfile: false, values })
  assert.throws(() => compileServices(config.services, compileDeps(config)), {
    message: /^service "a": pathregexp:/,
  })
})
