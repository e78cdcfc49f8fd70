import assert from 'node:assert/strict'
import test from 'node:test'

import { evenLink } from '../../../mailbox/noise/even-link.ts'
import { RECORD_OVERHEAD_BYTES } from '../../../mailbox/noise/record-cipher.ts'
import { memoryLinkPair } from '../memory-link.ts'

/** Size of the mailbox message that a plaintext becomes: Noise record, MsgData 5, DATA 4. */
const mailboxBytes = (plaintext: number) => plaintext + RECORD_OVERHEAD_BYTES + 5 + 4

test('no record has the size that Aperture loses, and every byte arrives in order', async () => {
  for (let bytes = 1; bytes <= 16_500; bytes += bytes % 4096 > 3900 || bytes < 260 ? 1 : 97) {
    const [here, there] = memoryLinkPair()
    const sent = Uint8Array.from({ length: bytes }, (_, at) => at % 251)
    await evenLink(here).send(sent)
    await here.close()
    const got: number[] = []
    for (let part = await there.receive(); part; part = await there.receive()) {
      const size = mailboxBytes(part.length)
      assert.ok(size < 253 || size % 4096 !== 4093, `${bytes} bytes became a message of ${size}`)
      got.push(...part)
    }
    assert.deepEqual(Uint8Array.from(got), sent)
  }
})
