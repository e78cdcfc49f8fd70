/** The head of an upstream's answer, made fit for the client. */
import { connectionNames, isHopByHop, without } from './hop-by-hop.ts'
import { corsHeaders, isCorsHeader } from './merged-cors.ts'
import { NameRules } from './name-rules.ts'
import { isForCaches, privateCacheControl } from './private-cache.ts'

/** Status line and headers toward the client. */
export interface ResponseHead {
  readonly status: number
  readonly statusText: string
  /** Names and values in turn; hop-by-hop headers are out, CORS is in, `Content-Length` is the upstream's. */
  readonly fields: readonly string[]
  readonly hasLength: boolean
  /** Names in the upstream's `Trailer`, or nothing. */
  readonly trailer: string
  /** `Grpc-Status` and `Grpc-Message` that stood among the headers. */
  readonly grpc: readonly string[] | undefined
}

type Rule = 'pass' | 'drop' | 'cors' | 'connection' | 'trailer' | 'grpc' | 'length' | 'cache'

const rules = new NameRules<Rule>((name) => {
  if (isCorsHeader(name)) return 'cors'
  if (name === 'connection' || name === 'trailer') return name
  if (isHopByHop(name)) return 'drop'
  if (name === 'content-length') return 'length'
  if (isForCaches(name)) return 'cache'
  return name === 'grpc-status' || name === 'grpc-message' ? 'grpc' : 'pass'
})

interface Draft {
  fields: string[]
  cors: string[] | undefined
  /** Kept apart from `fields` where they are not to go on as they are. */
  cache: string[] | undefined
  named: ReadonlySet<string> | undefined
  grpc: string[] | undefined
  trailer: string
  hasLength: boolean
}

/**
 * The head for the client; `raw` has the upstream's names and values in turn. What `isSold` is not to be kept by
 * caches for others.
 */
export function responseHead(
  status: number,
  statusText: string,
  raw: readonly string[],
  isSold = false,
): ResponseHead {
  const draft: Draft = {
    fields: [],
    cors: undefined,
    cache: isSold ? [] : undefined,
    named: undefined,
    grpc: undefined,
    trailer: '',
    hasLength: false,
  }
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? ''
    const value = raw[i + 1] ?? ''
    const rule = rules.of(name)
    if (rule === 'pass') draft.fields.push(name, value)
    else if (rule !== 'drop') gather(draft, rule, name, value, status)
  }
  const { named, cors, grpc, trailer, hasLength } = draft
  const fields = named ? without(draft.fields, named) : draft.fields
  if (draft.cache) fields.push('Cache-Control', privateCacheControl(draft.cache))
  for (const text of corsHeaders(cors)) fields.push(text)
  return { status, statusText, fields, hasLength, trailer, grpc }
}

function gather(
  draft: Draft,
  rule: Exclude<Rule, 'pass' | 'drop'>,
  name: string,
  value: string,
  status: number,
): void {
  switch (rule) {
    case 'connection':
      draft.named = connectionNames(value) ?? draft.named
      break
    case 'cors':
      ;(draft.cors ??= []).push(name, value)
      break
    case 'cache':
      ;(draft.cache ?? draft.fields).push(name, value)
      break
    case 'trailer':
      draft.trailer = draft.trailer === '' ? value : `${draft.trailer}, ${value}`
      break
    case 'grpc':
      draft.fields.push(name, value)
      ;(draft.grpc ??= []).push(name, value)
      break
    case 'length':
      addLength(draft, name, value, status)
      break
  }
}

/** RFC 9110 §8.6: a 204 has none. */
function addLength(draft: Draft, name: string, value: string, status: number): void {
  if (status === 204 || draft.hasLength) return
  draft.hasLength = true
  draft.fields.push(name, value)
}

/** Fields of an interim answer or of trailers: what is between two neighbours ends here. */
export function passedOn(raw: readonly string[]): string[] {
  const fields: string[] = []
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? ''
    const lower = name.toLowerCase()
    if (!isHopByHop(lower) && lower !== 'content-length') fields.push(name, raw[i + 1] ?? '')
  }
  return fields
}
