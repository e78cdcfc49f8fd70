/**
 * Reads libmacaroons' binary version 1: packets of four hex digits (length of the packet, themselves
 * included), a name, a blank, bytes and a line feed.
 */
import { MAX_CAVEATS, SIGNATURE_BYTES, strictText, type MacaroonFields } from './fields.ts'

const SIZE_DIGITS = 4
const BLANK = 0x20
const LINE_FEED = 0x0a

interface Packet {
  readonly name: string
  readonly data: Uint8Array
  /** Where the next one begins. */
  readonly end: number
}

/** The fields of a macaroon in version 1; `undefined` when it is none. */
export function readV1(bytes: Uint8Array): MacaroonFields | undefined {
  const location = packetAt(bytes, 0)
  const identifier = location && packetAt(bytes, location.end)
  if (location?.name !== 'location' || identifier?.name !== 'identifier') return undefined
  const where = strictText(location.data)
  const rest = readCaveats(bytes, identifier.end)
  if (where === undefined || !rest) return undefined
  return { version: 1, location: where, identifier: identifier.data, ...rest }
}

type Rest = Pick<MacaroonFields, 'caveats' | 'thirdParty' | 'signature'>

function readCaveats(bytes: Uint8Array, start: number): Rest | undefined {
  const ids: Uint8Array[] = []
  let thirdParty = false
  let count = 0
  let last = ''
  for (let at = start; ;) {
    const packet = packetAt(bytes, at)
    if (!packet || !mayFollow(packet.name, last)) return undefined
    const { name, data, end } = packet
    if (name === 'signature') {
      const whole = data.length === SIGNATURE_BYTES && end === bytes.length
      const caveats = whole ? strictTexts(ids) : undefined
      return caveats && { caveats, thirdParty, signature: data }
    }
    if (name === 'cid') {
      if (++count > MAX_CAVEATS) return undefined
      ids.push(data)
    } else if (name === 'vid') {
      // The caveat that it belongs to is not for us.
      ids.pop()
      thirdParty = true
    }
    last = name
    at = end
  }
}

function strictTexts(ids: readonly Uint8Array[]): readonly string[] | undefined {
  const texts = ids.map(strictText)
  return texts.every((text) => text !== undefined) ? texts : undefined
}

/** `cid`, and after it for a third party `vid`, then `cl`; `signature` at any caveat's end. */
function mayFollow(name: string, last: string): boolean {
  if (name === 'vid') return last === 'cid'
  if (name === 'cl') return last === 'vid'
  return name === 'cid' || name === 'signature'
}

function packetAt(bytes: Uint8Array, at: number): Packet | undefined {
  const digits = String.fromCharCode(...bytes.subarray(at, at + SIZE_DIGITS))
  if (!/^[0-9a-f]{4}$/.test(digits)) return undefined
  const end = at + Number.parseInt(digits, 16)
  const blank = bytes.indexOf(BLANK, at + SIZE_DIGITS)
  if (end > bytes.length || blank < 0 || blank > end - 2 || bytes[end - 1] !== LINE_FEED) {
    return undefined
  }
  const name = String.fromCharCode(...bytes.subarray(at + SIZE_DIGITS, Math.min(blank, at + 16)))
  return { name, data: bytes.subarray(blank + 1, end - 1), end }
}
