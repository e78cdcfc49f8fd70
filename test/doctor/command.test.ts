import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import { run } from '../../src/cli/program.ts'
import { adminHub } from '../admin/hub.ts'
import { folder } from './patient.ts'

/** Runs the command; what it wrote and how it ended. */
async function doctor(terminal: boolean, ...args: string[]) {
  let [stdout, stderr] = ['', '']
  const code = await run(['doctor', ...args], {
    stdout: { write: (text) => void (stdout += text), isTTY: terminal },
    stderr: { write: (text) => void (stderr += text) },
  })
  return { code, stdout, stderr }
}

test('asks the hub that runs: a table with advice on a terminal, JSON elsewhere', async (t) => {
  const { url, basedir } = await adminHub(t)
  const where = ['--basedir', basedir, '--hub', url]
  const table = await doctor(true, ...where)
  assert.equal(table.code, 0)
  assert.match(table.stdout, /^level +check +text\n/)
  assert.match(table.stdout, /^ok +ports +http:\/\/127.0.0.1:\d+ takes connections$/m)
  assert.match(table.stderr, /^permissions: Pair one: pinhole pair\.$/m)
  const json = await doctor(false, ...where, '--reconcile')
  assert.match(json.stdout, /"check":"reconcile","level":"ok"/)
})

test('looks at configuration and files where no hub runs; ends with 1 when something is wrong', async (t) => {
  const basedir = folder(t)
  mkdirSync(basedir, { recursive: true })
  const services = 'services:\n- {name: shop, address: "127.0.0.1:1", price: 5}\n'
  // Port 1 is nobody's here, and nobody may have it without being asked.
  const file = path.join(basedir, 'pinhole.yaml')
  writeFileSync(file, `listenaddr: 127.0.0.1:1\n${services}`)
  const { code, stdout, stderr } = await doctor(false, '--basedir', basedir)
  assert.equal(code, 1)
  assert.match(stderr, /looking at the configuration only/)
  assert.match(stdout, /"check":"upstreams","level":"error"/)
  assert.match(stdout, /"check":"relay","level":"skipped"/)
})

test('says that a hub which was named is not there', async (t) => {
  const { url, basedir, hub } = await adminHub(t)
  await hub.close()
  const { code, stdout, stderr } = await doctor(false, '--basedir', basedir, '--hub', url)
  assert.deepEqual([code, stdout], [3, ''])
  assert.match(stderr, /no hub answers|nothing listens/)
})
