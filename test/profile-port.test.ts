/** Profiles over HTTP: what they are, and who gets none. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import net from 'node:net'
import test, { type TestContext } from 'node:test'
import { ManualClock } from '../src/base/clock.ts'
import { isPinholeError } from '../src/base/errors.ts'
import { silentLog } from '../src/base/log.ts'
import { openProfilePort } from '../src/profile-port.ts'

async function start(t: TestContext) {
  const clock = new ManualClock()
  const port = await openProfilePort(0, { clock, log: silentLog })
  t.after(() => port.close())
  /** Until a profile is under way. */
  const underWay = async () => {
    while (clock.next() === undefined) await new Promise(setImmediate)
  }
  return { clock, underWay, port, url: port.url }
}

/** As a client with headers of its own asks; fetch sends no other Host. */
async function ask(url: string, headers: http.OutgoingHttpHeaders = {}, method = 'GET') {
  const request = http.request(url, { headers, method, agent: false }).end()
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) text += String(chunk)
  return { status: response.statusCode, headers: response.headers, text }
}

/** Megabytes, so that samples of 32 KiB cannot miss it. */
function allocate(): number[][] {
  return Array.from({ length: 200_000 }, (_, n) => [n])
}

interface Call {
  readonly callFrame: { readonly functionName: string }
  readonly children?: readonly Call[]
}

const namesOf = ({ callFrame, children = [] }: Call): string[] => [
  callFrame.functionName,
  ...children.flatMap(namesOf),
]

test('a profile of processor time is V8’s, and ends after its seconds', async (t) => {
  const { url, clock, underWay } = await start(t)
  const asked = ask(`${url}/cpu?seconds=60`)
  await underWay()
  assert.equal(clock.next(), 60_000)
  clock.advance(60_000)
  const { status, headers, text } = await asked
  assert.equal(status, 200)
  assert.equal(headers['content-disposition'], 'attachment; filename="pinhole.cpuprofile"')
  const profile = JSON.parse(text) as { nodes: Call[]; startTime: number; endTime: number }
  assert.equal(profile.nodes[0]?.callFrame.functionName, '(root)')
  assert.ok(profile.startTime < profile.endTime)
})

for (const kind of ['heap', 'allocs']) {
  test(`a profile of memory says who allocated it: ${kind}`, async (t) => {
    const { url, clock, underWay } = await start(t)
    const asked = ask(`${url}/${kind}`)
    await underWay()
    assert.equal(clock.next(), 10_000)
    const kept = allocate()
    clock.advance(10_000)
    const { status, headers, text } = await asked
    assert.equal(status, 200)
    assert.match(headers['content-disposition'] ?? '', /heapprofile"$/)
    assert.ok(namesOf((JSON.parse(text) as { head: Call }).head).includes('allocate'))
    assert.ok(kept.length > 0)
  })
}

test('one at a time, and none goes on for somebody who has left', async (t) => {
  const { url, clock, underWay } = await start(t)
  const first = http.get(`${url}/cpu`, { agent: false })
  const failed = once(first, 'error')
  await underWay()
  assert.equal((await ask(`${url}/heap`)).status, 409)
  first.destroy()
  await failed
  while (clock.next() !== undefined) await new Promise(setImmediate)
  const second = ask(`${url}/cpu`)
  await underWay()
  clock.advance(10_000)
  assert.equal((await second).status, 200)
})

test('the port lists what it has, and bounds what is asked', async (t) => {
  const { url } = await start(t)
  assert.match((await ask(url)).text, /\/cpu\?seconds=N/)
  for (const seconds of ['0', '61', '100', '1.5', '-1', '', 'x', '1e1']) {
    assert.equal((await ask(`${url}/cpu?seconds=${seconds}`)).status, 400, seconds)
  }
  for (const path of ['/debug/pprof/', '/json/version', '//cpu', '/cpu/']) {
    assert.equal((await ask(url + path)).status, 404, path)
  }
  const { status, headers } = await ask(`${url}/cpu`, {}, 'POST')
  assert.deepEqual([status, headers.allow], [405, 'GET'])
})

test('no page in a browser gets one, whatever name leads to the port', async (t) => {
  const { url } = await start(t)
  const refused = [
    { host: 'rebound.example' },
    { host: 'localhost.rebound.example:80' },
    { host: '127.0.0.1.example' },
    { host: '127.0.0.1@example' },
    { origin: 'https://page.example' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
  ]
  for (const headers of refused) {
    assert.equal((await ask(`${url}/cpu`, headers)).status, 403, JSON.stringify(headers))
  }
  for (const headers of [{ host: 'localhost:9' }, { 'sec-fetch-site': 'none' }]) {
    assert.equal((await ask(url, headers)).status, 200, JSON.stringify(headers))
  }
})

test('closing ends what is being taken; nothing listens on another address', async (t) => {
  const { port: opened, url, clock, underWay } = await start(t)
  const { port } = new URL(url)
  const elsewhere = net.connect(Number(port), '127.0.0.2')
  await assert.rejects(once(elsewhere, 'connect'), { code: 'ECONNREFUSED' })
  const failed = assert.rejects(ask(`${url}/cpu`))
  await underWay()
  await opened.close()
  await failed
  while (clock.next() !== undefined) await new Promise(setImmediate)
})

test('a port that is taken is told of by its key', async (t) => {
  const { url } = await start(t)
  const { port } = new URL(url)
  const deps = { clock: new ManualClock(), log: silentLog }
  await assert.rejects(openProfilePort(Number(port), deps), (reason) => {
    return isPinholeError(reason, 'ERR_LISTEN_ADDRESS') && reason.message.startsWith('profile:')
  })
})
