import assert from 'node:assert/strict'
import { chmodSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import test from 'node:test'
import { ManualClock } from '../../src/base/clock.ts'
import { openCertificate } from '../../src/certificate.ts'
import { certificateCheck } from '../../src/doctor/certificate.ts'
import type { Check } from '../../src/doctor/check.ts'
import { configCheck } from '../../src/doctor/config.ts'
import { diskCheck, diskCheckBy } from '../../src/doctor/disk.ts'
import { findingsOf } from '../../src/doctor/doctor.ts'
import { isOpen, publicUrl } from '../../src/doctor/places.ts'
import { portsCheck } from '../../src/doctor/ports.ts'
import { certificate } from '../mailbox/rpc/certificate.ts'
import { found, patient } from './patient.ts'

const SERVICE = { name: 'shop', address: 'localhost:9', pathregexp: '^/', price: 5 }

test('a check that hangs or fails is a finding, and says what to do', async (t) => {
  const clock = new ManualClock()
  const deps = patient(t, {}, { clock })
  let ended = false
  const hangs: Check = {
    name: 'hangs',
    limitMs: 5_000,
    run: (_deps, signal) => {
      signal.addEventListener('abort', () => (ended = true))
      return new Promise(() => {})
    },
  }
  const looking = findingsOf(hangs, deps)
  clock.advance(5_000)
  const [late] = await looking
  assert.deepEqual([late?.check, late?.level], ['hangs', 'error'])
  assert.match(late?.text ?? '', /not ended within 5 s/)
  assert.ok(ended, 'it is told to end')

  const fails: Check = { name: 'fails', limitMs: 1, run: () => Promise.reject(new Error('why')) }
  const [failed] = await findingsOf(fails, deps)
  assert.deepEqual([failed?.level, failed?.text], ['error', 'why'])
  assert.notEqual(failed?.advice, '')
})

test('config: nothing wrong with the standard values', async (t) => {
  assert.deepEqual(await found(configCheck, patient(t)), [
    'ok: nothing is wrong with the standard values',
  ])
})

test('config: what nothing acts on, what others can read, what cannot be paid', async (t) => {
  const deps = patient(
    t,
    {
      listenaddr: ':8081',
      insecure: true,
      tor: { v3: true },
      authenticator: { devserver: true },
      admin: { enabled: true, corsorigins: ['*'] },
      services: [{ ...SERVICE, dynamicprice: { enabled: true, insecure: true } }],
    },
    { nodes: [] },
  )
  const key = path.join(deps.config.basedir, 'tls.key')
  writeFileSync(key, '')
  chmodSync(key, 0o644)
  const texts = (await found(configCheck, deps)).join('\n')
  for (const part of [
    /warning: nothing in this version acts on tor/,
    /warning: the port is open to others and speaks cleartext/,
    /warning: authenticator.devserver/,
    /warning: admin.corsorigins/,
    /error: 1 service for sale, but no node/,
    /warning: the service shop has a dynamic price/,
    /warning: others of this machine can read .*tls.key/,
  ]) {
    assert.match(texts, part)
  }
})

test('places: what others dial is told from what only this machine reaches', (t) => {
  const url = (values: Readonly<Record<string, unknown>>) =>
    publicUrl(patient(t, values).config)?.origin
  assert.equal(url({}), undefined)
  assert.equal(url({ servername: 'localhost' }), undefined)
  assert.equal(url({ servername: 'a.example', listenaddr: ':8443' }), 'https://a.example:8443')
  assert.equal(url({ servername: 'a.example', listenaddr: 'localhost:8081' }), 'https://a.example')
  assert.equal(
    url({ servername: 'a.example', listenaddr: ':80', insecure: true }),
    'https://a.example',
  )
  assert.ok(!isOpen(patient(t, { listenaddr: '[::1]:80' }).config))
})

test('ports: free ones can be had, others cannot', async (t) => {
  assert.match(
    (await found(portsCheck, patient(t, { listenaddr: '127.0.0.1:0' }))).join(),
    /^ok: .* is free/,
  )
  const other = net.createServer().listen(0, '127.0.0.1')
  t.after(() => other.close())
  await new Promise((resolve) => other.once('listening', resolve))
  const bound = other.address()
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0
  const listenaddr = `127.0.0.1:${port}`
  const taken = await found(portsCheck, patient(t, { listenaddr }))
  assert.match(taken.join(), /^error: listenaddr .* cannot be had: .*EADDRINUSE/)

  // The same, as that of a hub which runs.
  const address = `http://${listenaddr}`
  const answers = await found(portsCheck, patient(t, { listenaddr }, { address }))
  assert.deepEqual(answers, [`ok: ${address} takes connections`])
  const relay = patient(
    t,
    { listenaddr, hashmail: { enabled: true } },
    { address: 'http://127.0.0.1:1' },
  )
  const refused = await found(portsCheck, relay)
  assert.match(
    refused.join('\n'),
    /^error: .* takes no connections.*\nwarning: the relay listens on/,
  )
})

test('disk: room, little of it, none', async (t) => {
  const deps = patient(t)
  assert.match((await found(diskCheck, deps)).join(), /^(ok|warning|error): .* has \d+ MiB left$/)
  const levels = [10_000_000, 100_000_000, 1_000_000_000].map(async (bytes) => {
    const [finding] = await findingsOf(
      diskCheckBy(async () => bytes),
      deps,
    )
    return finding?.level
  })
  assert.deepEqual(await Promise.all(levels), ['error', 'warning', 'ok'])
})

test('tls: the files, where no hub runs', async (t) => {
  const deps = patient(t, { servername: 'shop.example' })
  assert.match((await found(certificateCheck, deps)).join(), /^ok: .* is made at the start/)
  const { basedir } = deps.config
  const certificate = await openCertificate({ basedir, servername: 'other.example' })
  certificate.close()
  assert.match((await found(certificateCheck, deps)).join(), /^error: .* is not for shop.example/)
  const own = patient(t, { servername: 'other.example' })
  const config = { ...own.config, basedir }
  assert.match((await found(certificateCheck, { ...own, config })).join(), /^ok: .* is good until/)
  const later = new ManualClock(Date.now() + 3 * 365 * 86_400_000)
  const expired = await found(certificateCheck, { ...own, config, clock: later })
  assert.match(expired.join(), /^error: .* has expired/)
})

test('tls: a pair that no hub would start with is found before the start', async (t) => {
  const deps = patient(t)
  const put = (name: string, content: string) =>
    writeFileSync(path.join(deps.config.basedir, name), content)
  assert.match((await found(certificateCheck, deps)).join(), /^ok: .* is made at the start$/)
  put('tls.cert', certificate.cert)
  assert.match((await found(certificateCheck, deps)).join(), /^error: .*tls\.key is not$/)
  put('tls.key', certificate.key)
  assert.match((await found(certificateCheck, deps)).join(), /^ok: .* is good until/)
  put('tls.cert', certificate.other)
  const [finding] = await findingsOf(certificateCheck, deps)
  assert.match(finding?.text ?? '', /is not that of the certificate/)
  assert.match(finding?.advice ?? '', /Make tls\.cert and tls\.key a readable pair/)
  put('tls.cert', certificate.key)
  assert.match((await found(certificateCheck, deps)).join(), /holds no certificate in PEM$/)
})
