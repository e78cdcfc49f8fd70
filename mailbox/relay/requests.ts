/** The checks that requests of every face go through, in Aperture's order and words (LNC §10.3). */
import type { PinholeError } from '../../src/base/errors.ts'
import type { CipherBox, CipherBoxAuth, CipherBoxDesc } from '../hashmail/proto.ts'
import { Refusal } from './refusals.ts'
import type { SentMessage } from './sending.ts'

/** The stream id that a descriptor names. */
export function checkDesc(desc: CipherBoxDesc | undefined): Uint8Array | PinholeError {
  if (!desc) return Refusal.noDesc
  return desc.streamId.length === 0 ? Refusal.noStreamId : desc.streamId
}

/** The stream id that a request to create or delete names. That `auth` is there is all that is asked. */
export function checkAuth(request: CipherBoxAuth): Uint8Array | PinholeError {
  const id = checkDesc(request.desc)
  if (!(id instanceof Uint8Array)) return id
  return request.lndAuth ? id : Refusal.noAuth
}

/** The first message of a writer: it names the box, later ones need not. */
export function firstMessage({ desc, msg }: CipherBox): SentMessage | PinholeError {
  const streamId = checkDesc(desc)
  return streamId instanceof Uint8Array ? { streamId, msg } : streamId
}
