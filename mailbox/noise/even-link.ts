/**
 * Keeps Noise records clear of the one size that Aperture's relay loses: a mailbox message of m bytes,
 * 253 ≤ m ≤ 65535 and m ≡ 4093 (mod 4096), is held back there until the next one comes, which is lost
 * (LNC §15). Go-Back-N would repair it a second later; cutting one byte off costs nothing.
 */
import type { Link } from '../link.ts'
import { RECORD_OVERHEAD_BYTES } from './record-cipher.ts'

/** What the layers add to a plaintext on its way to the mailbox: Noise, MsgData 5 (LNC §8), DATA 4 (LNC §9.1). */
const OVERHEAD_BYTES = RECORD_OVERHEAD_BYTES + 5 + 4

const MODULUS = 4096
const LOST_REMAINDER = 4093
const LEAST_LOST_BYTES = 253

/** `link`, a byte stream in Noise records, with its messages cut so that none has the size above. */
export function evenLink(link: Link): Link {
  return {
    send(message) {
      if (!isLost(message.length + OVERHEAD_BYTES)) return link.send(message)
      // In order without awaiting: the second is what the caller waits for.
      link.send(message.subarray(0, -1)).catch(() => {})
      return link.send(message.subarray(-1))
    },
    receive: () => link.receive(),
    close: () => link.close(),
  }
}

const isLost = (mailboxBytes: number): boolean =>
  mailboxBytes >= LEAST_LOST_BYTES && mailboxBytes % MODULUS === LOST_REMAINDER
