/** What the sandbox sells, as entries of `services`. */
import type { Config } from '../config/load.ts'
import { service } from '../config/service-schema.ts'
import { SESSION_PATH } from './upstream.ts'

/** Satoshis that /paid costs. */
export const PAID_SATS = 10
const STREAM_SATS = 25
const TOKEN_SECONDS = 3_600

/** The services of the sample upstream at `address`. */
export function sandboxServices(address: string): Config['services'] {
  const common = { address, protocol: 'http', timeout: TOKEN_SECONDS }
  return [
    { name: 'free', pathregexp: '^/free$', auth: 'off' },
    { name: 'buyer', pathregexp: `^${SESSION_PATH}$`, auth: 'off' },
    { name: 'paid', pathregexp: '^/paid$', price: PAID_SATS },
    { name: 'stream', pathregexp: '^/stream$', price: STREAM_SATS },
  ].map((entry) => Object.freeze(service.parse({ ...common, ...entry })))
}
