/**
 * The headers that an upstream is sent, made from the client's. Everything that depends on the service alone
 * is worked out once; for each header that remains one look-up says what becomes of it.
 */
import { parseAuthorization } from '../l402/authorization.ts'
import type { Service } from '../service.ts'
import {
  CREDENTIAL_HEADERS,
  holdsL402,
  withoutConsoleCookies,
  withoutCredentialCookies,
} from './credential.ts'
import { valueOf } from './fields.ts'
import { connectionNames, isHopByHop, listHas, without } from './hop-by-hop.ts'
import { NameRules } from './name-rules.ts'
import type { Passage } from './passage.ts'

/** What is known of the request beside its own headers. */
export interface RequestFacts {
  readonly passage: Passage
  /** Address of the connection's other end, which is the proxy's where one stands in front. */
  readonly peer: string
}

type Rule =
  | 'pass'
  | 'drop'
  | 'connection'
  | 'te'
  | 'authorization'
  | 'cookie'
  | 'forwarded-for'
  /** Says where the client came from: believed of trusted proxies alone. */
  | 'origin'

/** Set or removed by what writes the message: the body's framing, `Host`, and what a 100 is asked with. */
const FRAMING: ReadonlySet<string> = new Set(['host', 'content-length', 'expect'])

const OWN_PREFIX = 'x-pinhole-'

/** Headers of ours that an operator's own of the same name stand in for. */
interface Replaced {
  readonly authorization: boolean
  readonly forwardedFor: boolean
  readonly forwardedProto: boolean
  readonly forwardedHost: boolean
}

/** What is gathered while the client's headers are gone through. */
interface Draft {
  readonly fields: string[]
  readonly trusted: boolean
  named: ReadonlySet<string> | undefined
  wantsTrailers: boolean
  forwardedFor: string
  cookies: string
}

/** Writes the headers of one service's requests. */
export class RequestHeaders {
  readonly #forwardCredential: boolean
  readonly #rules: NameRules<Rule>
  readonly #replaced: Replaced
  /** Same for every request: the operator's headers and the service's name. */
  readonly #fixed: readonly string[]

  constructor(service: Service) {
    const injected = service.headers.filter(([name]) => !isHopByHop(name) && !FRAMING.has(name))
    const replaced = new Set(injected.map(([name]) => name.toLowerCase()))
    this.#forwardCredential = service.forwardCredential
    this.#fixed = [...injected.flat(), 'X-Pinhole-Service', service.name]
    this.#rules = new NameRules((name) => judge(name, replaced, service.forwardCredential))
    this.#replaced = {
      authorization: replaced.has('authorization'),
      forwardedFor: replaced.has('x-forwarded-for'),
      forwardedProto: replaced.has('x-forwarded-proto'),
      forwardedHost: replaced.has('x-forwarded-host'),
    }
  }

  /** Names and values in turn, from `raw` in the same form; without `Host` and framing. */
  lines(raw: readonly string[], { passage, peer }: RequestFacts): string[] {
    const draft: Draft = {
      fields: [],
      trusted: passage.trustedProxy === true,
      named: undefined,
      wantsTrailers: false,
      forwardedFor: '',
      cookies: '',
    }
    for (let i = 0; i + 1 < raw.length; i += 2) {
      const name = raw[i] ?? ''
      const value = raw[i + 1] ?? ''
      const rule = this.#rules.of(name)
      if (rule === 'pass') draft.fields.push(name, value)
      else if (rule !== 'drop') this.#gather(draft, rule, name, value)
    }
    return this.#finish(draft, raw, passage, peer)
  }

  /**
   * Trailers, from `raw` in the same form. Some upstreams take them for headers (RFC 9110 §6.5.1): what is ours to
   * say, a credential, or about the connection has no place among them.
   */
  trailers(raw: readonly string[]): string[] {
    const fields: string[] = []
    for (let i = 0; i + 1 < raw.length; i += 2) {
      const name = raw[i] ?? ''
      if (this.#rules.of(name) === 'pass') fields.push(name, raw[i + 1] ?? '')
    }
    return fields
  }

  #gather(draft: Draft, rule: Exclude<Rule, 'pass' | 'drop'>, name: string, value: string): void {
    switch (rule) {
      case 'connection':
        draft.named = union(draft.named, connectionNames(value))
        break
      case 'te':
        draft.wantsTrailers ||= listHas(value, 'trailers')
        break
      case 'authorization':
        if (this.#forwardCredential || !holdsL402(value)) draft.fields.push(name, value)
        break
      case 'cookie':
        draft.cookies = joined(draft.cookies, this.#cookies(value), '; ')
        break
      case 'forwarded-for':
        draft.forwardedFor = joined(draft.forwardedFor, value, ', ')
        break
      case 'origin':
        if (draft.trusted) draft.fields.push(name, value)
        break
    }
  }

  /** The service's own cookies; `undefined` when there are none. */
  #cookies(value: string): string | undefined {
    const left = withoutConsoleCookies(value)
    return left === undefined || this.#forwardCredential ? left : withoutCredentialCookies(left)
  }

  #finish(draft: Draft, raw: readonly string[], passage: Passage, peer: string): string[] {
    // RFC 9113 §8.2.3: HTTP/2 may cut cookies up, HTTP/1.1 has them in one line.
    if (draft.cookies !== '') draft.fields.push('Cookie', draft.cookies)
    let out = draft.fields
    if (draft.named) out = without(out, draft.named)
    if (this.#forwardCredential && !this.#replaced.authorization) out = withBothForms(out, raw)
    if (draft.wantsTrailers) out.push('TE', 'trailers')
    this.#addOrigin(out, draft, passage, peer)
    for (const text of this.#fixed) out.push(text)
    addPaid(out, passage)
    return out
  }

  #addOrigin(out: string[], draft: Draft, passage: Passage, peer: string): void {
    const { forwardedFor, forwardedProto, forwardedHost } = this.#replaced
    const believed = (name: string) => draft.trusted && valueOf(out, name) !== undefined
    if (!forwardedFor) {
      const before = draft.named?.has('x-forwarded-for') ? '' : draft.forwardedFor
      out.push('X-Forwarded-For', joined(before, peer, ', '))
    }
    if (!forwardedProto && !believed('x-forwarded-proto')) {
      out.push('X-Forwarded-Proto', passage.secure ? 'https' : 'http')
    }
    if (!forwardedHost && !believed('x-forwarded-host')) {
      out.push('X-Forwarded-Host', passage.target.host)
    }
  }
}

/** Headers with a rule of their own. */
const NAMED_RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['authorization', 'authorization'],
  ['cookie', 'cookie'],
  ['x-forwarded-for', 'forwarded-for'],
])

function judge(name: string, replaced: ReadonlySet<string>, forwardCredential: boolean): Rule {
  if (name === 'connection' || name === 'te') return name
  // Upstreams of the CGI kind (WSGI, PHP, Rack) read `_` and `-` as the same, so a client could write
  // beside us in a name that only looks different.
  const plain = name.replaceAll('_', '-')
  if (belongsToUs(name) || replaced.has(plain) || plain.startsWith(OWN_PREFIX)) return 'drop'
  if (CREDENTIAL_HEADERS.has(plain)) return forwardCredential ? 'pass' : 'drop'
  const isOrigin = tellsOrigin(plain)
  if (isOrigin && plain !== name) return 'drop'
  return NAMED_RULES.get(name) ?? (isOrigin ? 'origin' : 'pass')
}

/** Whether a header is about this message or this connection; HTTP/2's pseudo-headers are. */
function belongsToUs(name: string): boolean {
  return name.startsWith(':') || FRAMING.has(name) || isHopByHop(name)
}

function tellsOrigin(name: string): boolean {
  return name.startsWith('x-forwarded-') || name === 'forwarded' || name === 'x-real-ip'
}

/** Aperture's way of handing a credential on: an `LSAT` and an `L402` line in place of what was sent. */
function withBothForms(fields: string[], raw: readonly string[]): string[] {
  const [credential] = parseAuthorization(raw)
  const macaroon = credential?.macaroons[0]
  if (!credential || !macaroon) return fields
  const preimage = Buffer.from(credential.preimage).toString('hex')
  const text = `${Buffer.from(macaroon).toString('base64')}:${preimage}`
  const out = without(fields, AUTHORIZATION)
  out.push('Authorization', `LSAT ${text}`, 'Authorization', `L402 ${text}`)
  return out
}

const AUTHORIZATION: ReadonlySet<string> = new Set(['authorization'])

function addPaid(out: string[], { paid }: Passage): void {
  if (!paid) return
  out.push('X-Pinhole-Token-Id', paid.tokenId, 'X-Pinhole-Scheme', paid.scheme)
  if (paid.priceMsat !== undefined) out.push('X-Pinhole-Paid-Msat', paid.priceMsat.toString())
}

function joined(before: string, value: string | undefined, by: string): string {
  if (value === undefined || value === '') return before
  return before === '' ? value : before + by + value
}

function union(
  a: ReadonlySet<string> | undefined,
  b: ReadonlySet<string> | undefined,
): ReadonlySet<string> | undefined {
  return a && b ? new Set([...a, ...b]) : (a ?? b)
}
