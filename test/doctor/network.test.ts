import assert from 'node:assert/strict'
import http from 'node:http'
import net, { type AddressInfo } from 'node:net'
import tls from 'node:tls'
import test, { type TestContext } from 'node:test'
import { ManualClock, systemClock } from '../../src/base/clock.ts'
import { loadConfig } from '../../src/config/load.ts'
import { certificateCheck } from '../../src/doctor/certificate.ts'
import type { DoctorDeps } from '../../src/doctor/check.ts'
import { frontCheckBy } from '../../src/doctor/front.ts'
import { relayCheck, relayCheckBy } from '../../src/doctor/relay.ts'
import { aheadOf, timeCheck, verdictOf } from '../../src/doctor/time.ts'
import { upstreamsCheck } from '../../src/doctor/upstreams.ts'
import { adminHub } from '../admin/hub.ts'
import { testCertificate } from '../mailbox/test-relay.ts'
import { found, patient } from './patient.ts'

/** Listens until the test ends; returns the port. */
async function listening(t: TestContext, server: net.Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.close()
    if (server instanceof http.Server) server.closeAllConnections()
  })
  return (server.address() as AddressInfo).port
}

/** A running hub with a relay, and what the doctor knows of it. */
async function runningHub(
  t: TestContext,
  values: Readonly<Record<string, unknown>> = {},
): Promise<DoctorDeps> {
  const all = { hashmail: { enabled: true }, admin: { enabled: true }, ...values }
  const { url, basedir } = await adminHub(t, all)
  const config = loadConfig({
    basedir,
    configfile: false,
    values: { listenaddr: '127.0.0.1:0', insecure: true, ...all },
  })
  return { ...patient(t), config, address: url }
}

test('relay and tls: a hub that listens by TLS is fit for both ends', async (t) => {
  const deps = await runningHub(t, { insecure: false })
  const [relay, certificate] = await Promise.all([
    found(relayCheck, deps),
    found(certificateCheck, deps),
  ])
  assert.match(relay.join(), /^ok: .* paired through it .* 64 KiB there and back/)
  assert.match(
    certificate.join('\n'),
    /^ok: .* agrees on h2 and on http\/1.1\nok: .* is good until/,
  )
})

test('relay: the end that cannot use it is named', async (t) => {
  const deps = patient(t, { hashmail: { enabled: true } })
  assert.match((await found(relayCheck, deps)).join(), /^skipped: no hub runs/)
  const web = http.createServer((_request, response) => response.writeHead(404).end())
  const address = `http://127.0.0.1:${await listening(t, web)}`
  assert.match((await found(relayCheckBy(300), { ...deps, address })).join(), /^error: .* by gRPC/)
})

test('tls: a front without h2, and a certificate of another name', async (t) => {
  const { key, cert } = testCertificate
  const server = tls.createServer({ key, cert, ALPNProtocols: ['http/1.1'] })
  const address = `https://localhost:${await listening(t, server)}`
  const deps = patient(t, { servername: 'shop.example' }, { address })
  const texts = (await found(certificateCheck, deps)).join('\n')
  assert.match(texts, /error: .* agrees on (http\/1.1|nothing) where h2 is offered/)
  assert.match(texts, /error: .* is not for shop.example, but for .*localhost/)
  assert.match(texts, /warning: .* was made by itself/)
  const plain = {
    ...deps,
    address: `http://127.0.0.1:${await listening(
      t,
      net.createServer((s) => s.end()),
    )}`,
  }
  assert.match((await found(certificateCheck, plain)).join(), /^skipped/)
  const none = { ...deps, address: plain.address.replace('http:', 'https:') }
  assert.match((await found(certificateCheck, none)).join(), /^error: .* no TLS/)
})

test('front: a name that leads to the hub, and what passes all on', async (t) => {
  const deps = await runningHub(t)
  assert.match((await found(frontCheckBy(500), deps)).join(), /^skipped: no public name/)
  const outside = new URL((deps.address ?? '').replace('127.0.0.1', 'localhost'))
  const texts = await found(frontCheckBy(2_000), { ...deps, outside })
  assert.deepEqual(
    texts.map((text) => text.split(':')[0]),
    ['ok', 'ok', 'ok'],
  )
})

test('front: a proxy that buffers, takes small headers and is not known', async (t) => {
  const deps = await runningHub(t)
  const proxy = http.createServer({ maxHeaderSize: 8_192 }, (request, response) => {
    const { url = '/', headers } = request
    const left = new AbortController()
    response.once('close', () => left.abort())
    // Nothing goes on before all of it is there.
    void fetch(new URL(url, deps.address), {
      signal: left.signal,
      headers: { 'grpc-metadata-macaroon': String(headers['grpc-metadata-macaroon'] ?? '') },
    })
      .then(async (answer) =>
        response.writeHead(answer.status, { via: '1.1 gatherer' }).end(await answer.text()),
      )
      .catch(() => response.destroy())
  })
  const outside = new URL(`http://127.0.0.1:${await listening(t, proxy)}`)
  const texts = await found(frontCheckBy(200), { ...deps, outside })
  assert.deepEqual(
    texts.map((text) => text.replace(/http:\S+/, 'it')),
    [
      'ok: it leads to this hub',
      'warning: it refuses headers of 12 KiB (status 431)',
      'warning: 1.1 gatherer stands in front, but trustproxy names no proxy: all clients look like one',
      'warning: it keeps the beginning of a stream back',
    ],
  )
  const somebody = http.createServer((_request, response) => response.end('{"status":"ok"}'))
  const elsewhere = new URL(`http://127.0.0.1:${await listening(t, somebody)}`)
  const [other] = await found(frontCheckBy(200), { ...deps, outside: elsewhere })
  assert.match(other ?? '', /^error: .* answered by somebody else/)
  const [away] = await found(frontCheckBy(200), { ...deps, outside: new URL('http://127.0.0.1:1') })
  assert.match(away ?? '', /^warning: .* cannot be reached/)
})

test('clock: compared with what a server says', async (t) => {
  const server = http.createServer((_request, response) => response.end())
  const url = new URL(`http://127.0.0.1:${await listening(t, server)}`)
  const { signal } = new AbortController()
  const ahead = async (clock: DoctorDeps['clock']) =>
    aheadOf(url, patient(t, {}, { clock }), signal)
  const same = await ahead(systemClock)
  assert.ok(same !== undefined && Math.abs(same) < 2_000, `${same} ms`)
  const late = await ahead(new ManualClock(Date.now() - 3_600_000))
  assert.ok(late !== undefined && late < -3_590_000, `${late} ms`)

  assert.equal(verdictOf(400).level, 'ok')
  assert.deepEqual(verdictOf(-10_000), {
    ...verdictOf(-10_000),
    level: 'warning',
    text: 'the clock is 10 s behind that of others',
  })
  assert.equal(verdictOf(3_600_000).level, 'error')
  // Servers on this machine have the same clock: nobody is asked.
  const services = patient(t, { services: [{ name: 'a', address: url.host, price: 1 }] })
  assert.match((await found(timeCheck, services)).join(), /^skipped/)
})

test('upstreams: those that are there, and those that are not', async (t) => {
  assert.match((await found(upstreamsCheck, patient(t))).join(), /^skipped: nothing is for sale/)
  const { key, cert } = testCertificate
  const plain = await listening(
    t,
    net.createServer((socket) => socket.on('error', () => {})),
  )
  const secure = await listening(t, tls.createServer({ key, cert }))
  const service = (name: string, address: string, more: object = {}) => ({
    name,
    address,
    price: 1,
    ...more,
  })
  const https = { protocol: 'https' }
  const services = [
    service('up', `127.0.0.1:${plain}`),
    service('down', '127.0.0.1:1'),
    service('trusted', `localhost:${secure}`, { ...https, tlsinsecure: true }),
    service('distrusted', `localhost:${secure}`, https),
    service('gone', 'unix:/nowhere.sock'),
  ]
  const texts = [...(await found(upstreamsCheck, patient(t, { services })))].sort()
  assert.deepEqual(
    texts.map((text) => text.replace(/^(\w+): the upstream of (\w+),.*/, '$1 $2')),
    ['error distrusted', 'error down', 'error gone', 'ok trusted', 'ok up'],
  )
})
