/**
 * The password mask of LNC §5: SPAKE2 (RFC 9382) cut down to one generator N and one direction. The
 * initiator sends e + pw·N in place of its first ephemeral key; a responder with another password
 * computes another e and notices at the tag of act one.
 */
import { secp256k1 } from '@noble/curves/secp256k1.js'

import { fromHex, wipe } from '../../src/base/bytes.ts'
import type { LncCrypto } from '../crypto/crypto.ts'

const { Point } = secp256k1
const ORDER = Point.Fn.ORDER

/** x = SHA-256(uint64 1 ‖ "Lightning Node Connect"), y even. */
const N = '0254a58cd0f31c008fd0bc9b2dd5ba586144933829f6da33ac4130b555fb5ea32c'

/**
 * `ephemeral` + pw·N, with pw the 32 stretched bytes as a big-endian number modulo the group order.
 * `undefined` when the sum is the point at infinity, which has no encoding.
 */
export function mask(
  ephemeral: Uint8Array,
  stretched: Uint8Array,
  crypto: LncCrypto,
): Uint8Array | undefined {
  return sum(ephemeral, passwordPoint(stretched, crypto))
}

/** `masked` − pw·N: what `mask` was given, when both had the same stretched bytes. */
export function unmask(
  masked: Uint8Array,
  stretched: Uint8Array,
  crypto: LncCrypto,
): Uint8Array | undefined {
  return sum(masked, passwordPoint(stretched, crypto)?.negate())
}

type CurvePoint = InstanceType<typeof Point>

function sum(point: Uint8Array, addend: CurvePoint | undefined): Uint8Array | undefined {
  if (!addend) return point.slice()
  const total = Point.fromBytes(point).add(addend)
  return total.is0() ? undefined : total.toBytes(true)
}

/** pw·N, or `undefined` for pw = 0. */
function passwordPoint(stretched: Uint8Array, crypto: LncCrypto): CurvePoint | undefined {
  const pw = reduce(stretched)
  if (pw === undefined) return undefined
  const product = crypto.multiply(pw, generator())
  wipe(pw)
  return Point.fromBytes(product)
}

/** The scalar modulo the group order as 32 bytes, `undefined` when it is zero. */
function reduce(stretched: Uint8Array): Uint8Array | undefined {
  let value = 0n
  for (const byte of stretched) value = (value << 8n) | BigInt(byte)
  const scalar = value % ORDER
  return scalar === 0n ? undefined : Point.Fn.toBytes(scalar)
}

function generator(): Uint8Array {
  return fromHex(N) ?? new Uint8Array()
}
