/** The fields of a service as flags, and what they ask of the hub. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { RequestOf, Service } from '../admin/contract.ts'
import { parseDuration } from '../config/duration.ts'
import { collect, wholeNumber } from './numbers.ts'
import { spanMs } from './times.ts'

/** What a change of a service says. */
export type ServiceChange = Omit<RequestOf<'updateService'>, 'name' | 'dry_run'>

/** What the sections of a service are before the change; a change of a part sends the whole. */
export type ServiceSections = Pick<
  Service,
  'headers' | 'constraints' | 'timeouts' | 'dynamic_price'
>

type RateLimit = Service['rate_limits'][number]

/** The flags as they were given. */
export interface ServiceFlags {
  readonly address?: string
  readonly protocol?: string
  readonly hostRegexp?: string
  readonly pathRegexp?: string
  readonly price?: number
  readonly auth?: string
  readonly authScheme?: Service['auth_scheme']
  readonly timeout?: number
  readonly capabilities?: string
  readonly constraint?: readonly Pair[]
  readonly header?: readonly Pair[]
  readonly freePath?: readonly string[]
  readonly skipInvoicePath?: readonly string[]
  readonly rateLimit?: readonly (RateLimit | undefined)[]
  readonly rewritePrefix?: string
  readonly node?: string
  readonly forwardCredential?: boolean
  readonly forwardOptions?: boolean
  readonly upstreamCert?: string
  readonly upstreamInsecure?: boolean
  readonly connectTimeout?: number
  readonly headerTimeout?: number
  readonly bodyTimeout?: number
  readonly idleTimeout?: number
  readonly dynamicPrice?: boolean
  readonly dynamicPriceAddress?: string
  readonly dynamicPriceCert?: string
  readonly dynamicPriceInsecure?: boolean
  readonly dynamicPriceMetered?: boolean
  readonly dynamicPriceTail?: number
}

/** A name and its text; an empty text takes the name away. */
type Pair = readonly [name: string, text: string]

const MS_PER_SECOND = 1_000
const SCHEMES = {
  l402: 'AUTH_SCHEME_L402',
  mpp: 'AUTH_SCHEME_MPP',
  'l402+mpp': 'AUTH_SCHEME_L402_MPP',
} as const

/** Adds a flag for every field of a service. */
export function addServiceFlags(command: Command): Command {
  return addLimits(
    command
      .option('--address <host:port>', 'where paid requests go; or unix:/path/of/socket', needed)
      .addOption(
        new Option('--protocol <name>', 'spoken there (http)').choices(['http', 'https', 'h2c']),
      )
      .option('--path-regexp <re>', 'RE2 over the path (.*)', pattern)
      .option('--host-regexp <re>', 'RE2 over the Host header (.*)', pattern)
      .option('--price <sats>', 'satoshis for a token', wholeNumber())
      .option('--auth <level>', 'on, off or "freebie N" (on)', needed)
      .addOption(
        new Option('--auth-scheme <scheme>', 'l402, mpp or l402+mpp (l402)').argParser(readScheme),
      )
      .option(
        '--timeout <span>',
        'how long a token is good: 3600, 12h, 30d; 0 is for ever',
        seconds,
      )
      .option('--node <name>', "node that is paid (the hub's first)")
      .option('--capabilities <list>', 'what a token allows, kept in it')
      .option('--constraint <name=text>', 'kept in a token; may be repeated', pairs)
      .option('--header <name=text>', 'sent to the upstream; may be repeated', pairs)
      .option('--rewrite-prefix <path>', 'put before the path')
      .option('--upstream-cert <file>', 'certificate or authority to trust there')
      .option('--upstream-insecure [true|false]', 'trust any certificate there', truth)
      .option('--forward-credential [true|false]', 'show the credential to the upstream', truth)
      .option('--forward-options [true|false]', 'send OPTIONS to the upstream', truth),
  )
}

const addLimits = (command: Command): Command =>
  command
    .option('--free-path <re>', 'path that is free; may be repeated', collect)
    .option('--skip-invoice-path <re>', 'path that gets a 401 and no invoice', collect)
    .option('--rate-limit <limit>', '"10/1s", "10/1s burst 20", "10/1s ^/path"', rateLimits)
    .option('--connect-timeout <duration>', 'what the upstream gets to connect (10s)', duration)
    .option('--header-timeout <duration>', 'to answer (1m)', duration)
    .option('--body-timeout <duration>', 'to go on (5m)', duration)
    .option('--idle-timeout <duration>', 'to lie idle (1m)', duration)
    .option('--dynamic-price [true|false]', 'ask a price service for each request', truth)
    .option('--dynamic-price-address <host:port>', 'of that service')
    .option('--dynamic-price-cert <file>', 'certificate to trust there')
    .option('--dynamic-price-insecure [true|false]', 'speak cleartext to it', truth)
    .option('--dynamic-price-metered [true|false]', 'tell it what was used', truth)
    .option('--dynamic-price-tail <bytes>', 'end of an answer that it is shown', wholeNumber())

/** What `--help` says below the flags. */
export const FIELDS_HELP = `
A constraint or header that is given is added to the others; an empty text (NAME=) takes it away. A list that is given
(--free-path, --skip-invoice-path, --rate-limit) takes the place of the whole; an empty text empties it.
`

/** What `flags` ask for, with the parts of sections laid over those of `before`. */
export function changeOf(flags: ServiceFlags, before: ServiceSections): ServiceChange {
  const { rateLimit, constraint, header } = flags
  return {
    ...plainFields(flags),
    ...(constraint ? { constraints: laidOver(before.constraints, constraint) } : {}),
    ...(header ? { headers: laidOver(before.headers, header) } : {}),
    ...(flags.freePath ? { auth_whitelist_paths: listOf(flags.freePath) } : {}),
    ...(flags.skipInvoicePath
      ? { auth_skip_invoice_creation_paths: listOf(flags.skipInvoicePath) }
      : {}),
    ...(rateLimit ? { rate_limits: rateLimit.flatMap((limit) => limit ?? []) } : {}),
    ...sectionOf('timeouts', before.timeouts, {
      connect_ms: flags.connectTimeout,
      header_ms: flags.headerTimeout,
      body_ms: flags.bodyTimeout,
      idle_ms: flags.idleTimeout,
    }),
    ...sectionOf('dynamic_price', before.dynamic_price, {
      enabled: flags.dynamicPrice,
      grpc_address: flags.dynamicPriceAddress,
      insecure: flags.dynamicPriceInsecure,
      tls_cert_path: flags.dynamicPriceCert,
      metered: flags.dynamicPriceMetered,
      usage_tail_bytes: flags.dynamicPriceTail,
    }),
  }
}

function plainFields(flags: ServiceFlags): ServiceChange {
  return given({
    address: flags.address,
    protocol: flags.protocol,
    host_regexp: flags.hostRegexp,
    path_regexp: flags.pathRegexp,
    price: flags.price,
    auth: flags.auth,
    auth_scheme: flags.authScheme,
    timeout: flags.timeout,
    capabilities: flags.capabilities,
    rewrite_prefix: flags.rewritePrefix,
    node: flags.node,
    forward_credential: flags.forwardCredential,
    forward_options: flags.forwardOptions,
    tls_cert_path: flags.upstreamCert,
    tls_insecure: flags.upstreamInsecure,
  })
}

function given<T extends object>(values: T): Partial<T> {
  const said = Object.entries(values).filter(([, value]) => value !== undefined)
  return Object.fromEntries(said) as Partial<T>
}

function sectionOf<Name extends string, T extends object>(
  name: Name,
  before: T,
  values: { readonly [Key in keyof T]: T[Key] | undefined },
): Partial<Record<Name, T>> {
  const said = given(values)
  if (Object.keys(said).length === 0) return {}
  return { [name]: { ...before, ...said } } as Record<Name, T>
}

function laidOver(
  before: Readonly<Record<string, string>>,
  changes: readonly Pair[],
): Record<string, string> {
  const all = new Map([...Object.entries(before), ...changes])
  return Object.fromEntries([...all].filter(([, text]) => text !== ''))
}

const listOf = (texts: readonly string[]): string[] => texts.filter((text) => text !== '')

/** The hub leaves as they are what an update has an empty text for (Aperture). */
const pattern = (text: string): string => (text === '' ? '.*' : text)

function needed(text: string): string {
  if (text !== '') return text
  throw new InvalidArgumentError('It cannot be empty.')
}

function pairs(text: string, before: readonly Pair[] = []): readonly Pair[] {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('Give NAME=TEXT.')
  return [...before, [text.slice(0, at), text.slice(at + 1)]]
}

/** As an empty text too, which stands for none. */
function rateLimits(
  text: string,
  before: readonly (RateLimit | undefined)[] = [],
): readonly (RateLimit | undefined)[] {
  if (text === '') return [...before, undefined]
  const [, requests = '', per = '', burst = '0', pattern = ''] =
    /^(\d{1,9})\/(\S+)(?: burst (\d{1,9}))?(?: (\S.*))?$/.exec(text) ?? []
  const per_ms = parseDuration(per) ?? 0
  if (requests === '' || per_ms < 1) {
    throw new InvalidArgumentError('Give requests and time, such as "10/1s burst 20 ^/path".')
  }
  const limit = { path_regexp: pattern, requests: Number(requests), per_ms, burst: Number(burst) }
  return [...before, limit]
}

function truth(text: string): boolean {
  if (text === 'true' || text === 'false') return text === 'true'
  throw new InvalidArgumentError('Give true or false.')
}

function readScheme(text: string): Service['auth_scheme'] {
  const scheme = Object.entries(SCHEMES).find(([name]) => name === text.toLowerCase())
  if (scheme) return scheme[1]
  throw new InvalidArgumentError(`Give one of ${Object.keys(SCHEMES).join(', ')}.`)
}

function seconds(text: string): number {
  if (/^\d{1,10}$/.test(text)) return Number(text)
  const ms = spanMs(text)
  if (ms !== undefined && ms >= MS_PER_SECOND) return Math.round(ms / MS_PER_SECOND)
  throw new InvalidArgumentError('Give seconds or a span such as 12h or 30d.')
}

function duration(text: string): number {
  const ms = parseDuration(text)
  if (ms !== undefined && ms >= 0) return Math.round(ms)
  throw new InvalidArgumentError('Give a duration such as 10s or 1m30s.')
}
