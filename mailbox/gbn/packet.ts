/**
 * Go-Back-N packets (LNC §9.1). One packet is one mailbox message:
 *
 *     SYN 01 n | DATA 02 seq final ping payload | ACK 03 seq | NACK 04 seq | FIN 05 | SYNACK 06
 *
 * Bytes after a complete packet are ignored, as Go does; a flag other than 01 counts as false.
 */
import { PinholeError } from '../../src/base/errors.ts'

/** Window that the mailbox uses: packets that may be unacknowledged. Numbers run modulo this plus one. */
export const WINDOW = 20

/** Bytes before the payload of a DATA packet. */
export const DATA_HEADER_BYTES = 4

const SYN = 1
const DATA = 2
const ACK = 3
const NACK = 4
const FIN = 5
const SYNACK = 6

/** One decoded packet. */
export type Packet =
  | { readonly type: 'syn'; readonly n: number }
  | DataPacket
  | { readonly type: 'ack'; readonly seq: number }
  | { readonly type: 'nack'; readonly seq: number }
  | { readonly type: 'fin' }
  | { readonly type: 'synack' }

/** A chunk of a message, or a ping, which takes a number like any other. */
export interface DataPacket {
  readonly type: 'data'
  readonly seq: number
  /** Whether the message ends here. */
  readonly final: boolean
  readonly ping: boolean
  readonly payload: Uint8Array
}

/** Whether these are the bytes of a DATA packet, which the peer acknowledges. */
export const isData = (bytes: Uint8Array): boolean => bytes[0] === DATA

/** Bytes of `packet`; the payload is copied. */
export function encodePacket(packet: Packet): Uint8Array {
  switch (packet.type) {
    case 'syn':
      return Uint8Array.of(SYN, packet.n)
    case 'data':
      return encodeData(packet)
    case 'ack':
      return Uint8Array.of(ACK, packet.seq)
    case 'nack':
      return Uint8Array.of(NACK, packet.seq)
    case 'fin':
      return Uint8Array.of(FIN)
    case 'synack':
      return Uint8Array.of(SYNACK)
  }
}

function encodeData({ seq, final, ping, payload }: DataPacket): Uint8Array {
  const bytes = new Uint8Array(DATA_HEADER_BYTES + payload.length)
  bytes[0] = DATA
  bytes[1] = seq
  bytes[2] = final ? 1 : 0
  bytes[3] = ping ? 1 : 0
  bytes.set(payload, DATA_HEADER_BYTES)
  return bytes
}

/**
 * The packet in `bytes`; a payload is a view on them.
 * @throws `ERR_GBN_PACKET` when the type is unknown or the packet is cut short (a DATA of three bytes
 * included, which crashes Go: LNC §16.16).
 */
export function decodePacket(bytes: Uint8Array): Packet {
  const [type, number] = bytes
  if (type === FIN) return { type: 'fin' }
  if (type === SYNACK) return { type: 'synack' }
  if (number !== undefined) {
    if (type === DATA && bytes.length >= DATA_HEADER_BYTES) return decodeData(number, bytes)
    if (type === ACK) return { type: 'ack', seq: number }
    if (type === NACK) return { type: 'nack', seq: number }
    if (type === SYN) return { type: 'syn', n: number }
  }
  throw new PinholeError(
    'ERR_GBN_PACKET',
    `no Go-Back-N packet: type ${type ?? 'missing'}, ${bytes.length} bytes`,
  )
}

function decodeData(seq: number, bytes: Uint8Array): DataPacket {
  const payload = bytes.subarray(DATA_HEADER_BYTES)
  return { type: 'data', seq, final: bytes[2] === 1, ping: bytes[3] === 1, payload }
}
