/** Header lists of HTTP/2 toward an upstream and from it, judged as RFC 9113 §8.2 and §8.3 demand. */
import type { Literals } from '../../src/http2/hpack-encoder.ts'
import type { Field } from '../../src/http2/hpack-table.ts'
import type { Outgoing } from './exchange.ts'
import { isSentOnce, joinsInOneLine } from './fields.ts'

/**
 * One connection carries the requests of many clients: what is secret must not be guessed through the size
 * of another's request, and what changes with each would push out of the table what does not.
 */
export const REQUEST_LITERALS: Literals = new Map([
  ['authorization', 'secret'],
  ['proxy-authorization', 'secret'],
  ['cookie', 'secret'],
  [':path', 'passing'],
  ['content-length', 'passing'],
  ['if-modified-since', 'passing'],
  ['if-none-match', 'passing'],
  ['range', 'passing'],
  ['referer', 'passing'],
  ['x-forwarded-for', 'passing'],
  ['x-pinhole-token-id', 'passing'],
])

/** The header list of a request. */
export function requestFields(outgoing: Outgoing, scheme: 'http' | 'https'): Field[] {
  const fields: Field[] = [
    [':method', outgoing.method],
    [':scheme', scheme],
    [':authority', outgoing.host],
    [':path', outgoing.path],
  ]
  addFields(fields, outgoing.fields)
  if (outgoing.length !== undefined) fields.push(['content-length', outgoing.length])
  if (outgoing.expectsContinue) fields.push(['expect', '100-continue'])
  if (outgoing.trailer !== undefined) fields.push(['trailer', outgoing.trailer])
  return fields
}

/** The header list of trailers. */
export function trailerFields(raw: readonly string[]): Field[] {
  const fields: Field[] = []
  addFields(fields, raw)
  return fields
}

function addFields(fields: Field[], raw: readonly string[]): void {
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = (raw[i] ?? '').toLowerCase()
    const value = raw[i + 1] ?? ''
    const joins = joinsInOneLine(name)
    const before = joins || isSentOnce(name) ? fields.findIndex((one) => one[0] === name) : -1
    if (before < 0) fields.push([name, value])
    else if (joins) fields[before] = [name, `${fields[before]?.[1] ?? ''}, ${value}`]
  }
}

/** A header list of an answer: its head, an interim one, or trailers. */
export interface AnswerFields {
  /** 0 for trailers, which have none. */
  readonly status: number
  /** Names and values in turn. */
  readonly raw: string[]
  readonly length: number | undefined
}

const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/
// Bytes beyond ASCII are RFC 9110's obs-text.
const BAD_VALUE = /[\x00-\x08\x0a-\x1f\x7f]/
const STATUS = /^[1-9]\d\d$/
const LENGTH = /^\d{1,15}$/

/** RFC 9113 §8.2.2: these belong to a connection of HTTP/1.1; a message that has one is malformed. */
const OF_CONNECTIONS: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
])

/** Reads a header list; nothing when it is malformed (RFC 9113 §8.1.1). */
export function readAnswer(fields: readonly Field[]): AnswerFields | undefined {
  const raw: string[] = []
  let status = 0
  let length: number | undefined
  for (const [name, value] of fields) {
    if (name === ':status') {
      if (status !== 0 || raw.length > 0 || !STATUS.test(value)) return undefined
      status = Number(value)
      continue
    }
    if (!isField(name, value)) return undefined
    if (name === 'content-length') {
      if (length !== undefined || !LENGTH.test(value)) return undefined
      length = Number(value)
    }
    raw.push(name, value)
  }
  return { status, raw, length }
}

function isField(name: string, value: string): boolean {
  return NAME.test(name) && !BAD_VALUE.test(value) && !OF_CONNECTIONS.has(name)
}
