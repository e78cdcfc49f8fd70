/**
 * What Noise costs: `node --import tsx bench/noise.ts`. Processor time of one end per handshake
 * (without scrypt and without a network) and throughput of records, for both kinds of cryptography.
 */
import { nodeCrypto } from '../mailbox/crypto/node.ts'
import { browserCrypto } from '../mailbox/crypto/browser.ts'
import type { LncCrypto } from '../mailbox/crypto/crypto.ts'
import { readAct, writeAct } from '../mailbox/noise/handshake.ts'
import { HandshakeState } from '../mailbox/noise/handshake-state.ts'
import { KK, XX } from '../mailbox/noise/patterns.ts'
import type { Pattern, Role } from '../mailbox/noise/patterns.ts'
import {
  HEADER_BYTES,
  RecordCipher,
  RECORD_OVERHEAD_BYTES,
} from '../mailbox/noise/record-cipher.ts'
import { negotiate } from '../mailbox/noise/version.ts'
import { stretch } from '../mailbox/stretch.ts'

const clientKey = new Uint8Array(32).fill(0x11)
const serverKey = new Uint8Array(32).fill(0x22)
const key = new Uint8Array(32).fill(0x33)
const authData = new Uint8Array(1020)

/** Milliseconds of processor time that `action` took; other programs do not count. */
function spent(action: () => void): number {
  const before = process.cpuUsage()
  action()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

/** Processor time of each end, added to `total`, for one handshake. */
function handshake(crypto: LncCrypto, pattern: Pattern, total: Record<Role, number>): void {
  const timed = <Result>(role: Role, action: () => Result): Result => {
    const before = process.cpuUsage()
    const result = action()
    const { user, system } = process.cpuUsage(before)
    total[role] += (user + system) / 1000
    return result
  }
  const end = (role: Role) =>
    timed(role, () => {
      const [s, peer] = role === 'initiator' ? [clientKey, serverKey] : [serverKey, clientKey]
      const rs = pattern.staticsKnown ? peerKeys.get(peer) : undefined
      return new HandshakeState(crypto, pattern, role, { s, rs, pw: key })
    })
  const ends = { initiator: end('initiator'), responder: end('responder') }
  for (const act of pattern.acts) {
    const reader: Role = act.from === 'initiator' ? 'responder' : 'initiator'
    const message = timed(act.from, () => writeAct(ends[act.from], act, 2, authData))
    const negotiation = negotiate(reader, pattern, { minVersion: 0 })
    timed(reader, () => readAct(ends[reader], act, negotiation, message))
  }
}

const peerKeys = new Map([clientKey, serverKey].map((k) => [k, nodeCrypto.publicKey(k)]))

/** MB of plaintext per second of processor time, to seal and to open. */
function records(crypto: LncCrypto, length: number): { seal: number; open: number } {
  const count = Math.max(20, Math.min(20_000, Math.round(64e6 / length)))
  const sealer = new RecordCipher(crypto, key, key)
  const opener = new RecordCipher(crypto, key, key)
  const plaintext = new Uint8Array(length)
  const sealed = Array.from({ length: count }, () => new Uint8Array(length + RECORD_OVERHEAD_BYTES))
  const sealMs = spent(() => {
    for (const record of sealed) sealer.sealRecord(plaintext, record)
  })
  const openMs = spent(() => {
    for (const record of sealed) {
      opener.openHeader(record.subarray(0, HEADER_BYTES))
      opener.openBody(record.subarray(HEADER_BYTES))
    }
  })
  return { seal: (count * length) / sealMs / 1000, open: (count * length) / openMs / 1000 }
}

const HANDSHAKES = 100

for (const [name, crypto] of Object.entries({ node: nodeCrypto, browser: browserCrypto })) {
  for (const [title, pattern] of Object.entries({ XX, KK })) {
    for (let i = 0; i < 20; i++) handshake(crypto, pattern, { initiator: 0, responder: 0 })
    const total = { initiator: 0, responder: 0 }
    for (let i = 0; i < HANDSHAKES; i++) handshake(crypto, pattern, total)
    const of = (role: Role) => `${role} ${(total[role] / HANDSHAKES).toFixed(1)} ms`
    console.log(`${name} ${title}: ${of('initiator')}, ${of('responder')}`)
  }
  for (const length of [64, 1024, 16384, 32768]) {
    records(crypto, length)
    const { seal, open } = records(crypto, length)
    console.log(
      `${name} ${length} bytes: seal ${seal.toFixed(1)} MB/s, open ${open.toFixed(1)} MB/s`,
    )
  }
  const start = performance.now()
  await stretch(new Uint8Array(14), crypto)
  console.log(`${name} scrypt: ${(performance.now() - start).toFixed(0)} ms`)
}
