/** A service as it is being typed: text in every field, and what that makes of it. */
import type { RequestOf, Service } from '../../src/admin/contract.ts'

/** One field of the form. `lines` is a list, `pairs` is `name: value` in each line. */
export interface FieldSpec {
  readonly name: string
  readonly label: string
  readonly kind: 'text' | 'sats' | 'number' | 'flag' | 'lines' | 'pairs' | 'limits' | 'choice'
  readonly help?: string
  readonly options?: readonly (readonly [value: string, text: string])[]
}

/** Fields that belong together. */
export interface FieldGroup {
  readonly title: string
  readonly fields: readonly FieldSpec[]
}

type Value = string | boolean
/** Values by name; those of a section as `timeouts.connect_ms`. */
export type Draft = Readonly<Record<string, Value>>

const SCHEMES = [
  ['AUTH_SCHEME_L402', 'L402'],
  ['AUTH_SCHEME_MPP', 'MPP'],
  ['AUTH_SCHEME_L402_MPP', 'L402 and MPP'],
] as const

/** All fields of a service. */
export const GROUPS: readonly FieldGroup[] = [
  {
    title: 'What is sold',
    fields: [
      {
        name: 'address',
        label: 'Upstream address',
        kind: 'text',
        help: 'host:port, or unix: and a path',
      },
      {
        name: 'protocol',
        label: 'Protocol',
        kind: 'choice',
        options: [
          ['http', 'http'],
          ['https', 'https'],
          ['h2c', 'h2c (HTTP/2 in cleartext)'],
        ],
      },
      {
        name: 'path_regexp',
        label: 'Paths',
        kind: 'text',
        help: 'A regular expression, such as ^/api/.*$; empty is all',
      },
      {
        name: 'host_regexp',
        label: 'Hosts',
        kind: 'text',
        help: 'A regular expression; empty is all',
      },
      {
        name: 'price',
        label: 'Price',
        kind: 'sats',
        help: 'Satoshis, at least 1; what is free has payment off',
      },
      {
        name: 'auth',
        label: 'Payment',
        kind: 'text',
        help: 'on, off, or freebie and how many are free',
      },
      {
        name: 'timeout',
        label: 'A token is good for',
        kind: 'number',
        help: 'Seconds; 0 is for ever',
      },
    ],
  },
  {
    title: 'Tokens',
    fields: [
      { name: 'auth_scheme', label: 'Scheme', kind: 'choice', options: SCHEMES },
      { name: 'capabilities', label: 'Capabilities', kind: 'text', help: 'Separated by commas' },
      { name: 'constraints', label: 'Constraints', kind: 'pairs', help: 'name: value, one a line' },
      { name: 'node', label: 'Node that is paid', kind: 'text', help: "Empty is the hub's first" },
    ],
  },
  {
    title: 'Upstream',
    fields: [
      {
        name: 'headers',
        label: 'Headers that are added',
        kind: 'pairs',
        help: 'name: value, one a line; hidden values stay as they are',
      },
      { name: 'rewrite_prefix', label: 'Prefix put before paths', kind: 'text' },
      { name: 'forward_credential', label: 'Pass the credential on', kind: 'flag' },
      { name: 'forward_options', label: 'Pass OPTIONS requests on', kind: 'flag' },
      {
        name: 'tls_cert_path',
        label: 'Certificate that is trusted',
        kind: 'text',
        help: 'A file at the hub',
      },
      { name: 'tls_insecure', label: 'Trust any certificate', kind: 'flag' },
      {
        name: 'timeouts.connect_ms',
        label: 'Time to connect',
        kind: 'number',
        help: 'Milliseconds; 0 is without a limit',
      },
      {
        name: 'timeouts.header_ms',
        label: 'Time until it answers',
        kind: 'number',
        help: 'Milliseconds',
      },
      {
        name: 'timeouts.body_ms',
        label: 'Longest silence within an answer',
        kind: 'number',
        help: 'Milliseconds',
      },
      {
        name: 'timeouts.idle_ms',
        label: 'Time to keep an unused connection',
        kind: 'number',
        help: 'Milliseconds',
      },
    ],
  },
  {
    title: 'Exceptions and limits',
    fields: [
      {
        name: 'auth_whitelist_paths',
        label: 'Paths that are free',
        kind: 'lines',
        help: 'Regular expressions, one a line',
      },
      {
        name: 'auth_skip_invoice_creation_paths',
        label: 'Paths without an invoice',
        kind: 'lines',
        help: 'Regular expressions, one a line',
      },
      {
        name: 'rate_limits',
        label: 'Rate limits',
        kind: 'limits',
        help: 'requests per milliseconds, burst, path: 10 / 1000, 20, ^/slow',
      },
    ],
  },
  {
    title: 'Price service',
    fields: [
      { name: 'dynamic_price.enabled', label: 'Ask a price service', kind: 'flag' },
      { name: 'dynamic_price.grpc_address', label: 'Its address', kind: 'text' },
      { name: 'dynamic_price.insecure', label: 'Cleartext', kind: 'flag' },
      {
        name: 'dynamic_price.tls_cert_path',
        label: 'Its certificate',
        kind: 'text',
        help: 'A file at the hub',
      },
      { name: 'dynamic_price.metered', label: 'Metered', kind: 'flag' },
      {
        name: 'dynamic_price.usage_tail_bytes',
        label: 'Bytes that usage is read from',
        kind: 'number',
      },
    ],
  },
]

const SPECS = GROUPS.flatMap(({ fields }) => fields)

/** What the form of a new service begins with; the rest has the defaults of the configuration. */
export const NEW: Draft = {
  name: '',
  address: '',
  protocol: 'http',
  path_regexp: '',
  price: '1',
  auth: 'on',
}

/** The form of a service that there is. */
export function draftOf(service: Service): Draft {
  const values = SPECS.map(({ name, kind }) => {
    const value: unknown = name
      .split('.')
      .reduce<unknown>((at, key) => Reflect.get(Object(at), key), service)
    return [name, written(kind, value)] as const
  })
  return { name: service.name, ...Object.fromEntries(values) }
}

function written(kind: FieldSpec['kind'], value: unknown): Value {
  switch (kind) {
    case 'flag':
      return value === true
    case 'lines':
      return (value as string[]).join('\n')
    case 'pairs':
      return Object.entries(value as Record<string, string>)
        .map(([name, text]) => `${name}: ${text}`)
        .join('\n')
    case 'limits':
      return (value as Service['rate_limits'])
        .map(({ requests, per_ms: per, burst, path_regexp: path }) =>
          [`${requests} / ${per}`, burst, path].join(', ').replace(/, $/, ''),
        )
        .join('\n')
    default:
      return String(value)
  }
}

/** A field whose text makes no value. */
export class FieldProblem extends Error {
  readonly field: string

  constructor(field: string, message: string) {
    super(message)
    this.field = field
  }
}

/** An update leaves a field as it is for an empty text (Aperture); this says what an empty one means. */
const FOR_EMPTY: ReadonlyMap<string, string> = new Map([
  ['path_regexp', '.*'],
  ['host_regexp', '.*'],
  ['auth', 'on'],
])

const sectionOf = (name: string): string => name.replace(/\..*/, '')

/**
 * What the hub is sent: of a service that there is only what differs from `before`, so that what others change
 * meanwhile stays. @throws FieldProblem
 */
export function requestOf(draft: Draft, before?: Draft): RequestOf<'updateService'> {
  const called = String(draft['name'])
  const request: Record<string, unknown> = { name: before ? called : called.trim() }
  const differing = SPECS.filter(({ name }) => draft[name] !== before?.[name])
  // A section is sent as a whole.
  const touched = new Set(differing.map(({ name }) => sectionOf(name)))
  for (const { name, kind } of SPECS) {
    const text = draft[name]
    if (text === undefined || !touched.has(sectionOf(name))) continue
    const read = readValue(name, kind, text)
    const value = before && read === '' ? (FOR_EMPTY.get(name) ?? '') : read
    checkNeeded(name, value, draft)
    const [section = '', key] = name.split('.')
    if (key === undefined) request[name] = value
    else request[section] = { ...Object(request[section]), [key]: value }
  }
  return request
}

/** What the hub would take, and make something else of than was typed. */
function checkNeeded(name: string, value: unknown, draft: Draft): void {
  if (name === 'address' && value === '') throw new FieldProblem(name, 'is needed')
  const free = name === 'price' && Number(value) === 0 && draft['dynamic_price.enabled'] !== true
  if (free) throw new FieldProblem(name, 'must be at least 1; what is free has payment off')
}

const lines = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')

function readValue(name: string, kind: FieldSpec['kind'], value: Value): unknown {
  if (typeof value === 'boolean') return value
  switch (kind) {
    case 'number':
      if (!/^\d{1,15}$/.test(value)) throw new FieldProblem(name, 'must be a whole number')
      return Number(value)
    case 'sats':
      if (!/^\d{1,19}$/.test(value))
        throw new FieldProblem(name, 'must be a whole number of satoshis')
      return value
    case 'lines':
      return lines(value)
    case 'pairs':
      return Object.fromEntries(lines(value).map((line) => readPair(name, line)))
    case 'limits':
      return lines(value).map((line) => readLimit(name, line))
    default:
      return value.trim()
  }
}

function readPair(name: string, line: string): readonly [string, string] {
  const colon = line.indexOf(':')
  if (colon < 1) throw new FieldProblem(name, `${line}: a colon is missing`)
  return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()]
}

function readLimit(name: string, line: string) {
  const [, requests, per, burst, path = ''] =
    /^(\d+)\s*\/\s*(\d+)(?:\s*,\s*(\d+))?(?:\s*,\s*(.+))?$/.exec(line) ?? []
  if (requests === undefined)
    throw new FieldProblem(name, `${line}: write it as 10 / 1000, 20, ^/slow`)
  return {
    requests: Number(requests),
    per_ms: Number(per),
    burst: Number(burst ?? 0),
    path_regexp: path,
  }
}

/** The field that a message of the hub is about; `undefined` when it names none. */
export const fieldNamedIn = (message: string): string | undefined =>
  ['name', ...SPECS.map(({ name }) => name)]
    .filter((name) => new RegExp(`\\b${name.replace('.', '[.]')}\\b`).test(message))
    .sort((a, b) => message.indexOf(a) - message.indexOf(b) || b.length - a.length)[0]
