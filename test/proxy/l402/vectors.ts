/** Known answers of Aperture's Go libraries (test/vectors/l402). */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { fromHex } from '../../../src/base/bytes.ts'

export interface TokenVector {
  readonly rootKey: string
  readonly preimage: string
  readonly paymentHash: string
  readonly tokenId: string
  readonly caveats: readonly string[] | null
  readonly identifier: string
  readonly v2: string
  readonly v1: string
}

export interface Vectors {
  /** Seconds since 1970. */
  readonly now: number
  readonly tokens: readonly TokenVector[]
  readonly verdicts: readonly {
    readonly caveats: readonly string[]
    readonly service: string
    readonly accepted: boolean
  }[]
  readonly parsings: readonly {
    readonly bytes: string
    readonly accepted: boolean
    readonly identifier?: string
    /** In hex, or `third party`. */
    readonly caveats?: readonly string[]
    readonly signature?: string
    /** In hex: the macaroon's and those of third parties. */
    readonly locations?: readonly string[]
    /** What the library writes for what it read. */
    readonly again?: string
  }[]
  readonly headers: readonly {
    readonly lines: readonly (readonly [string, string])[] | null
    readonly accepted: boolean
    readonly macaroon?: string
    readonly preimage?: string
  }[]
}

const file = path.resolve(import.meta.dirname, '../../vectors/l402/aperture.json')
export const vectors = JSON.parse(readFileSync(file, 'utf8')) as Vectors

/** The bytes of `hex`. */
export function hex(text: string): Uint8Array {
  const bytes = fromHex(text)
  if (!bytes) throw new TypeError(`not hex: ${text}`)
  return bytes
}
