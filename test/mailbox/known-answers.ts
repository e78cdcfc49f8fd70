import { readFileSync } from 'node:fs'
import path from 'node:path'

import { fromHex } from '../../src/base/bytes.ts'

const FOLDER = path.resolve(import.meta.dirname, '../vectors/lnc')

/** A recorded file of `test/vectors/lnc`, in the shape its test declares. */
export function knownAnswers<Shape>(name: string): Shape {
  return JSON.parse(readFileSync(path.join(FOLDER, name), 'utf8')) as Shape
}

/** Bytes of recorded hex. */
export function bytes(hex: string): Uint8Array {
  const decoded = fromHex(hex)
  if (!decoded) throw new TypeError('the recording is not hex')
  return decoded
}
