import assert from 'node:assert/strict'
import { finished } from 'node:stream/promises'
import { PassThrough, Readable } from 'node:stream'
import test from 'node:test'
import { pumpBody } from '../../../proxy/forward/body-pump.ts'

test('a body that ended before anybody looked is handed over as ended', async () => {
  const source = Readable.from([])
  source.resume()
  await finished(source)
  let ended = 0
  pumpBody(source, new PassThrough(), { moved: () => {}, ended: () => ended++ })
  assert.equal(ended, 1)
})

test('a body is handed over whole, then its end', async () => {
  const sink = new PassThrough()
  const parts: string[] = []
  sink.setEncoding('utf8').on('data', (text: string) => parts.push(text))
  await new Promise<void>((resolve) => {
    pumpBody(Readable.from([Buffer.from('a'), Buffer.from('b')]), sink, {
      moved: () => {},
      ended: resolve,
    })
  })
  assert.equal(parts.join(''), 'ab')
})
