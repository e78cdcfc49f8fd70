/** Auth data of act 2 as gRPC metadata, LNC §6.7: header lines such as `Macaroon: 0201…`, joined by CRLF. */
import { PinholeError } from '../../src/base/errors.ts'
import { text } from '../../src/base/bytes.ts'
import { metadataFault } from './metadata.ts'
import type { Metadata } from './rpc.ts'

/**
 * The metadata that goes with every call. As in Go, a line that does not split at `": "` into two parts is
 * passed over. Throws `ERR_NOISE_AUTH_DATA` for a line that cannot be a header.
 */
export function parseAuthData(authData: Uint8Array): Metadata {
  return text(authData)
    .split('\r\n')
    .map((line) => line.split(': '))
    .filter((parts) => parts.length === 2)
    .map(([name = '', value = '']) => {
      const field = [name.toLowerCase(), value] as const
      const fault = metadataFault(field)
      // The value is a secret, so the message keeps to the name.
      if (fault) throw new PinholeError('ERR_NOISE_AUTH_DATA', `the node's auth data has ${fault}`)
      return field
    })
}
