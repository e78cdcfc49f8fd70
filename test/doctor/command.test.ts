import assert from 'node:assert/strict'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import { z } from 'zod'
import { run } from '../../src/cli/program.ts'
import { nodeSecret } from '../../src/nodes/secret.ts'
import { openStore } from '../../src/store/store.ts'
import { adminHub } from '../admin/hub.ts'
import { folder } from './patient.ts'

const Finding = z.object({
  check: z.string(),
  level: z.string(),
  text: z.string(),
  advice: z.string(),
})
const Findings = z.object({ findings: z.array(Finding) })

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

test('says what keeps a hub from starting: a pattern, or nodes under another key', async (t) => {
  const basedir = folder(t)
  const secretOf = (base: string) => nodeSecret({ basedir: base })
  const elsewhere = folder(t)
  const store = openStore(path.join(basedir, 'pinhole.db'))
  const sealed = await secretOf(elsewhere).seal('shop', Buffer.from('{}'))
  await store.nodes.put({ name: 'shop', kind: 'lnc', sealed, createdAtMs: 1 })
  await store.close()
  const start = async () => {
    const { stdout } = await doctor(false, '--basedir', basedir)
    const { findings } = Findings.parse(JSON.parse(stdout))
    const found = findings.find(({ check }) => check === 'start')
    return Object.values(found ?? {}).join(' ')
  }
  assert.match(await start(), / error .*keys of node shop stay closed.*pinhole node remove/)
  const pattern = 'services:\n- {name: shop, address: "127.0.0.1:1", pathregexp: "("}\n'
  writeFileSync(path.join(basedir, 'pinhole.yaml'), pattern)
  assert.match(await start(), / error .*pinhole\.yaml:2:/)
  rmSync(path.join(basedir, 'pinhole.db'))
  writeFileSync(path.join(basedir, 'pinhole.yaml'), '')
  assert.match(await start(), / ok /)
})

test('says that a hub which was named is not there', async (t) => {
  const { url, basedir, hub } = await adminHub(t)
  await hub.close()
  const { code, stdout, stderr } = await doctor(false, '--basedir', basedir, '--hub', url)
  assert.deepEqual([code, stdout], [3, ''])
  assert.match(stderr, /no hub answers|nothing listens/)
})
