import assert from 'node:assert/strict'
import test from 'node:test'
import { Patience } from '../../../mailbox/listen/patience.ts'
import { listen } from '../../../mailbox/listen/listen.ts'
import { connect, nodePlatform } from '../../../mailbox/connect/node.ts'
import { connectGbn } from '../../../mailbox/gbn/link.ts'
import { messageLink } from '../../../mailbox/message.ts'
import { generatePhrase, parsePhrase } from '../../../mailbox/phrase.ts'
import { pairingStreamIds } from '../../../mailbox/stream-id.ts'
import { parseMailbox } from '../../../mailbox/transport/address.ts'
import { openMailbox } from '../../../mailbox/transport/mailbox-link.ts'
import { systemClock, type Clock } from '../../../src/base/clock.ts'
import { silentLog } from '../../../src/base/log.ts'
import { setUpEnds, until } from '../ends.ts'

test('ten clients that come to nothing are let in at once, then one a second; one that proves itself resets that', () => {
  const patience = new Patience()
  const waits: number[] = []
  for (let n = 0; n < 20; n++) {
    waits.push(patience.waitMs)
    patience.failed()
  }
  assert.deepEqual(waits.slice(0, 11), Array<number>(11).fill(0))
  assert.deepEqual(waits.slice(11), [50, 100, 200, 400, 800, 1000, 1000, 1000, 1000])
  patience.proved()
  assert.equal(patience.waitMs, 0)
})

test('whoever knows the boxes but not the phrase costs few handshakes and lines, and the client still gets in', async (t) => {
  const ends = await setUpEnds(t)
  const phrase = generatePhrase((length) => nodePlatform.crypto.randomBytes(length))
  const waits: number[] = []
  const clock: Clock = {
    ...systemClock,
    after: (ms, action) => {
      if (ms === 50 || ms === 100 || ms === 200) waits.push(ms)
      return systemClock.after(ms, action)
    },
  }
  const failures: unknown[] = []
  const log = { ...silentLog, warn: (fields: object) => void failures.push(fields) }
  ends.use(await listen(ends.listening({ phrase, log, clock })))

  const { clientToServer: sendId, serverToClient: receiveId } = pairingStreamIds(
    parsePhrase(phrase),
    nodePlatform.crypto,
  )
  const options = { transport: 'grpc', ca: ends.relay.ca, clock: systemClock } as const
  for (let n = 0; n < 13; n++) {
    const relay = nodePlatform.relay(parseMailbox(ends.relay.mailbox), options)
    const mailbox = openMailbox(relay, { sendId, receiveId }, { owner: false })
    const gbn = await connectGbn(mailbox)
    await messageLink(gbn).send(new Uint8Array(50).fill(n))
    await until(() => failures.length > n)
    await gbn.close()
    await relay.close()
  }
  assert.deepEqual(waits.slice(0, 2), [50, 100])
  const client = ends.use(await connect(ends.connecting({ phrase })))
  await client.close()
})
