import assert from 'node:assert/strict'
import test from 'node:test'
import { eventStream } from '../../src/admin/event-stream.ts'
import { type HubEvent, operations } from '../../src/admin/contract.ts'
import { HubEvents } from '../../src/admin/hub-events.ts'
import { ManualClock } from '../../src/base/clock.ts'
import { openShop, type Shop } from './shop.ts'

/** The events of a hub from now on; each must be one of the contract's. */
async function listenAt(
  { url, macaroon }: Shop,
  signal?: AbortSignal,
): Promise<AsyncGenerator<HubEvent, undefined>> {
  const headers = { 'Grpc-Metadata-Macaroon': macaroon }
  const { status, body } = await fetch(`${url}/api/admin/events`, {
    headers,
    ...(signal ? { signal } : {}),
  })
  assert.ok(status === 200 && body)
  return eventsOf(body)
}

async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<HubEvent, undefined> {
  let rest = ''
  for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
    const blocks = (rest + chunk).split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks.filter((one) => one.startsWith('data: '))) {
      yield operations.streamEvents.response.parse(JSON.parse(block.slice('data: '.length)))
    }
  }
}

test('a sale is told of step by step, and a hub that closes ends the stream at once', async (t) => {
  const shop = await openShop(t, { draintimeout: '10s' })
  const seen: HubEvent[] = []
  let wake = () => {}
  const events = await listenAt(shop)
  const reading = (async () => {
    for await (const event of events) {
      seen.push(event)
      wake()
    }
  })()
  const sees = async (count: number): Promise<void> => {
    while (seen.length < count) await new Promise<void>((resolve) => (wake = resolve))
  }
  await shop.call('PUT', '/services/paid', { price: 6 })
  const offer = await shop.buy()
  assert.equal(await shop.use(offer), 200)
  await sees(4)
  const sale = seen.map(({ at: _at, ...event }) => event)
  assert.deepEqual(sale, [
    { type: 'services' },
    { type: 'offered', service_name: 'paid', price_msat: '6000' },
    { type: 'settled', service_name: 'paid', price_msat: '6000', token_id: offer.tokenId },
    { type: 'used', service_name: 'paid' },
  ])
  const startedAt = performance.now()
  await shop.hub.close()
  await reading
  assert.ok(performance.now() - startedAt < 5_000, 'the drain waits for no stream')
})

test('a payment that only its preimage shows is told of once', async (t) => {
  const shop = await openShop(t)
  const going = new AbortController()
  const events = await listenAt(shop, going.signal)
  const offer = await shop.offer()
  assert.equal(await shop.use(offer), 200)
  shop.node.settle(offer.paymentHash)
  const types: string[] = []
  while (!types.includes('settled')) types.push((await events.next()).value?.type ?? 'ended')
  await shop.call('PUT', '/services/paid', { price: 7 })
  for (let type = ''; type !== 'services'; types.push(type)) {
    type = (await events.next()).value?.type ?? 'ended'
  }
  assert.equal(types.filter((type) => type === 'settled').length, 1, types.join())
  going.abort()
})

test('a slow reader is dropped, a flood is thinned out, the number of readers is bounded', async () => {
  const clock = new ManualClock()
  const events = new HubEvents(clock)
  const { signal } = new AbortController()
  const slow = events.read(signal)
  for (let n = 0; n < 100; n++) events.tell({ type: 'used', service_name: 'x' })
  events.tell({ type: 'services' })
  const told: unknown[] = []
  for (let n = 0; n < 51; n++) told.push((await slow.next()).value?.type)
  assert.equal(told.pop(), 'services', 'what is rare always comes')
  for (let n = 0; n < 1_025; n++) events.tell({ type: 'services' })
  assert.equal((await slow.next()).done, true)
  assert.equal(events.heard, false)

  const readers = Array.from({ length: 65 }, () => events.read(new AbortController().signal))
  assert.equal((await readers[0]?.next())?.done, true)
  const waiting = readers[64]?.next()
  events.tell({ type: 'services' })
  assert.equal((await waiting)?.value?.type, 'services')
  events.close()
  assert.equal((await events.read(signal).next()).done, true)
  assert.equal(events.heard, false)
})

test('a reader that goes is forgotten; a quiet stream says that it is there', async () => {
  const clock = new ManualClock()
  const events = new HubEvents(clock)
  const gone = new AbortController()
  const stream = eventStream(events.read(gone.signal), clock)
  assert.match(String((await stream.next()).value), /^: /)
  const quiet = stream.next()
  await new Promise(setImmediate)
  clock.advance(25_000)
  assert.equal((await quiet).value, ':\n\n')
  const next = stream.next()
  events.tell({ type: 'services' })
  assert.match(String((await next).value), /^data: {"type":"services","at":"2026-/)
  gone.abort()
  assert.equal((await stream.next()).done, true)
  assert.equal(events.heard, false)
  const left = eventStream(events.read(new AbortController().signal), clock)
  await left.next()
  const reading = left.next()
  events.tell({ type: 'services' })
  await reading
  await left.return(undefined)
  assert.equal(events.heard, false)
})
