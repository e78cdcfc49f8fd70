/** The parts of a macaroon in libmacaroons' binary format, version 2, read apart from the code under test. */

/** What a macaroon says. */
export interface MacaroonParts {
  readonly location: string
  readonly identifier: Uint8Array
  readonly caveats: readonly string[]
}

const VERSION = 2
const LOCATION = 1
const IDENTIFIER = 2

/** Reads `bytes`; throws when they are cut short. */
export function readMacaroon(bytes: Uint8Array): MacaroonParts {
  let at = 1
  const varint = (): number => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]
      if (byte === undefined) throw new RangeError('cut short')
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }
  const section = (): Map<number, Uint8Array> => {
    const fields = new Map<number, Uint8Array>()
    for (let type = varint(); type !== 0; type = varint()) {
      const length = varint()
      fields.set(type, bytes.subarray(at, at + length))
      at += length
    }
    return fields
  }
  if (bytes[0] !== VERSION) throw new RangeError('not version 2')
  const text = (field: Uint8Array | undefined) => Buffer.from(field ?? []).toString('latin1')
  const head = section()
  const caveats: string[] = []
  for (let caveat = section(); caveat.size > 0; caveat = section()) {
    caveats.push(text(caveat.get(IDENTIFIER)))
  }
  return {
    location: text(head.get(LOCATION)),
    identifier: head.get(IDENTIFIER) ?? new Uint8Array(),
    caveats,
  }
}
