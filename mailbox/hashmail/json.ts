/**
 * The messages of `hashmailrpc` as protobuf JSON, the dialect of the REST and WebSocket sides (LNC §10.2,
 * §10.4): bytes are base64, `stream_id` and `streamId` are both read, `null` means unset, unknown and
 * repeated fields are errors, unset fields are written. Runs in a browser.
 */
import { fromBase64, toBase64 } from './base64.ts'
import { parseJson, placeOf, type JsonMember, type JsonValue } from './json-text.ts'
import type { CipherBox, CipherBoxAuth, CipherBoxDesc } from './proto.ts'

/** Why a text was refused, worded as Go's protojson words it. */
export interface JsonRefusal {
  readonly refused: string
}

/** Whether a parse was refused. */
export const isRefused = (result: object): result is JsonRefusal => 'refused' in result

const EMPTY = new Uint8Array(0)

class Refused extends Error {}

/** Reads a `CipherBox`, e.g. `{"desc":{"stream_id":"…"},"msg":"…"}`. */
export function parseCipherBox(text: string): CipherBox | JsonRefusal {
  return attempt(text, (value) => {
    let desc: CipherBoxDesc | undefined
    let msg: Uint8Array = EMPTY
    eachField(text, value, ['desc', 'msg'], (name, member) => {
      if (name === 'desc') desc = readDesc(member.value, text)
      else msg = bytesOf(member, text)
    })
    return { desc, msg }
  })
}

/** Reads a `CipherBoxDesc`, e.g. `{"stream_id":"…"}`. */
export function parseCipherBoxDesc(text: string): CipherBoxDesc | JsonRefusal {
  return attempt(text, (value) => readDesc(value, text))
}

/** Reads a `CipherBoxAuth`, e.g. `{"desc":{"stream_id":"…"},"lnd_auth":{}}`. */
export function parseCipherBoxAuth(text: string): CipherBoxAuth | JsonRefusal {
  return attempt(text, (value) => {
    let desc: CipherBoxDesc | undefined
    let lndAuth = false
    eachField(text, value, ['desc', 'lnd_auth'], (name, member) => {
      if (name === 'desc') desc = readDesc(member.value, text)
      else {
        eachField(text, member.value, [], () => {})
        lndAuth = true
      }
    })
    return { desc, lndAuth }
  })
}

function readDesc(value: JsonValue, text: string): CipherBoxDesc {
  let streamId: Uint8Array = EMPTY
  eachField(text, value, ['stream_id'], (_, member) => (streamId = bytesOf(member, text)))
  return { streamId }
}

function attempt<T extends object>(text: string, read: (value: JsonValue) => T): T | JsonRefusal {
  const parsed = parseJson(text)
  if ('fault' in parsed) return { refused: parsed.fault }
  try {
    return read(parsed.value)
  } catch (reason) {
    if (reason instanceof Refused) return { refused: reason.message }
    throw reason
  }
}

/** The other spelling that protobuf JSON allows. */
const CAMEL: Readonly<Record<string, string>> = { streamId: 'stream_id', lndAuth: 'lnd_auth' }

function eachField(
  text: string,
  value: JsonValue,
  names: readonly string[],
  take: (name: string, member: JsonMember) => void,
): void {
  if (value.kind !== 'object') {
    const source = text.slice(value.start, Math.min(value.end, value.start + MAX_QUOTED_CHARACTERS))
    const place = placeOf(text, value.start)
    throw new Refused(`proto: syntax error (${place}): unexpected token ${source}`)
  }
  const seen = new Set<string>()
  for (const member of value.members) {
    const name = Object.hasOwn(CAMEL, member.name) ? (CAMEL[member.name] ?? '') : member.name
    const quoted = JSON.stringify(member.name.slice(0, MAX_QUOTED_CHARACTERS))
    const fault = !names.includes(name) ? 'unknown' : seen.has(name) ? 'duplicate' : undefined
    if (fault)
      throw new Refused(`proto: (${placeOf(text, member.start)}): ${fault} field ${quoted}`)
    seen.add(name)
    if (member.value.kind !== 'null') take(name, member)
  }
}

/** So much of a peer's own text is repeated in an error. */
const MAX_QUOTED_CHARACTERS = 64

function bytesOf({ name, value }: JsonMember, text: string): Uint8Array {
  const bytes = value.kind === 'string' ? fromBase64(value.text) : undefined
  if (bytes) return bytes
  const source = text.slice(value.start, Math.min(value.end, value.start + MAX_QUOTED_CHARACTERS))
  throw new Refused(
    `proto: (${placeOf(text, value.start)}): invalid value for bytes field ${name}: ${source}`,
  )
}

/** Writes a `CipherBoxDesc`. */
export const formatCipherBoxDesc = (streamId: Uint8Array): string =>
  `{"stream_id":"${toBase64(streamId)}"}`

/** Writes a `CipherBox`, without blanks. */
export const formatCipherBox = (streamId: Uint8Array, msg: Uint8Array): string =>
  `{"desc":${formatCipherBoxDesc(streamId)},"msg":"${toBase64(msg)}"}`

/** Writes a `CipherBoxAuth` with the empty `lnd_auth` that the relay asks for. */
export const formatCipherBoxAuth = (streamId: Uint8Array): string =>
  `{"desc":${formatCipherBoxDesc(streamId)},"lnd_auth":{}}`

/** One message as the receive side writes it. Go's client cuts the envelope off by pattern: no blanks. */
export const formatResult = (streamId: Uint8Array, msg: Uint8Array): string =>
  `{"result":${formatCipherBox(streamId, msg)}}`

/** NewCipherBox's answer in JSON. */
export const JSON_INIT_SUCCESS = '{"success":{"desc":null}}'

/** DelCipherBox's answer in JSON. */
export const JSON_DELETED = '{}'

/** A gRPC status as the gateway writes it. */
export const formatStatus = (code: number, message: string): string =>
  `{"code":${code},"message":${JSON.stringify(message)},"details":[]}`

/** The same in the envelope of a stream of answers. */
export const formatStreamError = (code: number, message: string): string =>
  `{"error":${formatStatus(code, message)}}`

/** What a text from the receive side holds: a message, an error of the relay, or neither. */
export type Received =
  | { readonly kind: 'message'; readonly box: CipherBox }
  | { readonly kind: 'error'; readonly code: number; readonly message: string }
  | { readonly kind: 'malformed'; readonly reason: string }

const RESULT = '{"result":'
const RESULT_BOX = /^\s*\{\s*"result"\s*:/

/**
 * Reads a text from a receive or send socket: `{"result":{…}}`, `{"error":{…}}`, or the bare status that
 * comes from a send socket (LNC §10.2).
 */
export function parseReceived(text: string): Received {
  const head = text.startsWith(RESULT) ? RESULT : RESULT_BOX.exec(text)?.[0]
  if (head === undefined) return parseStatus(text)
  const box = parseCipherBox(text.slice(head.length, text.lastIndexOf('}')))
  return isRefused(box) ? { kind: 'malformed', reason: box.refused } : { kind: 'message', box }
}

function parseStatus(text: string): Received {
  const parsed = parseJson(text)
  if ('fault' in parsed) return { kind: 'malformed', reason: parsed.fault }
  const outer = parsed.value
  const inner = memberOf(outer, 'error') ?? outer
  const message = memberOf(inner, 'message')
  const code = memberOf(inner, 'code')
  if (message?.kind !== 'string' || code?.kind !== 'number') {
    return { kind: 'malformed', reason: 'neither result nor error' }
  }
  return { kind: 'error', code: code.number, message: message.text }
}

function memberOf(value: JsonValue, name: string): JsonValue | undefined {
  if (value.kind !== 'object') return undefined
  return value.members.find((member) => member.name === name)?.value
}
