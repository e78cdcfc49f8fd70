/** The checks that requests of every face go through, in Aperture's order and words (LNC §10.3). */
import type { PinholeError } from '../../src/base/errors.ts'
import { fromBase64 } from '../hashmail/base64.ts'
import type { CipherBox, CipherBoxAuth, CipherBoxDesc } from '../hashmail/proto.ts'
import { MAX_REQUEST_BYTES } from './limits.ts'
import { badJson, Refusal } from './refusals.ts'
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

/** The box that the query of a DELETE names: `desc.stream_id` in base64. */
export function queryId(url: string): Uint8Array | PinholeError {
  const query = new URL(url, 'http://relay').searchParams
  const text = query.get('desc.stream_id') ?? query.get('desc.streamId')
  if (text === null) return Refusal.noDesc
  const streamId =
    text.length <= MAX_REQUEST_BYTES ? fromBase64(text.replaceAll(' ', '+')) : undefined
  if (!streamId) return badJson('invalid value for bytes field stream_id')
  return checkDesc({ streamId })
}
