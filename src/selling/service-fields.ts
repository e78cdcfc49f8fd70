/** A service in the words of the admin API, from and to those of the configuration. */
import type { z } from 'zod'
import type { authScheme, serviceFields } from '../admin/contract/service.ts'
import { PinholeError } from '../base/errors.ts'
import type { Config } from '../config/load.ts'
import { service as schema } from '../config/service-schema.ts'

/** One entry of `services`, all keys given. */
export type ServiceSettings = Config['services'][number]

/** Everything of a service but its name. */
export type ServiceFields = z.output<typeof serviceFields>

/** The fields of `settings`, header values and all. */
export function fieldsOf(settings: ServiceSettings): ServiceFields {
  const { timeouts, dynamicprice } = settings
  return {
    address: settings.address,
    protocol: settings.protocol,
    host_regexp: settings.hostregexp,
    path_regexp: settings.pathregexp,
    price: String(settings.price),
    auth: settings.auth.level === 'freebie' ? `freebie ${settings.auth.free}` : settings.auth.level,
    auth_scheme: schemeOf(settings.authscheme),
    timeout: settings.timeout,
    capabilities: settings.capabilities,
    constraints: { ...settings.constraints },
    headers: { ...settings.headers },
    auth_whitelist_paths: [...settings.authwhitelistpaths],
    auth_skip_invoice_creation_paths: [...settings.authskipinvoicecreationpaths],
    rate_limits: settings.ratelimits.map(({ pathregexp, requests, per, burst }) => {
      return { path_regexp: pathregexp, requests, per_ms: per, burst }
    }),
    rewrite_prefix: settings.rewrite.prefix,
    node: settings.node,
    forward_credential: settings.forwardcredential,
    forward_options: settings.forwardoptions,
    tls_cert_path: settings.tlscertpath,
    tls_insecure: settings.tlsinsecure,
    timeouts: {
      connect_ms: timeouts.connect,
      header_ms: timeouts.header,
      body_ms: timeouts.body,
      idle_ms: timeouts.idle,
    },
    dynamic_price: {
      enabled: dynamicprice.enabled,
      grpc_address: dynamicprice.grpcaddress,
      insecure: dynamicprice.insecure,
      tls_cert_path: dynamicprice.tlscertpath,
      metered: dynamicprice.metered,
      usage_tail_bytes: dynamicprice.usagetailbytes,
    },
  }
}

/** The settings of a service called `name`. @throws ERR_ADMIN_REQUEST that names the field. */
export function settingsOf(name: string, fields: ServiceFields): ServiceSettings {
  const { timeouts, dynamic_price: price } = fields
  const milliseconds = (ms: number) => `${ms}ms`
  const read = schema.safeParse({
    name,
    address: fields.address,
    protocol: fields.protocol,
    hostregexp: fields.host_regexp,
    pathregexp: fields.path_regexp,
    price: Number(fields.price),
    auth: fields.auth,
    authscheme: SCHEMES[fields.auth_scheme],
    timeout: fields.timeout,
    capabilities: fields.capabilities,
    constraints: fields.constraints,
    headers: fields.headers,
    authwhitelistpaths: fields.auth_whitelist_paths,
    authskipinvoicecreationpaths: fields.auth_skip_invoice_creation_paths,
    ratelimits: fields.rate_limits.map(({ path_regexp, requests, per_ms, burst }) => {
      return { pathregexp: path_regexp, requests, per: milliseconds(per_ms), burst }
    }),
    rewrite: { prefix: fields.rewrite_prefix },
    node: fields.node,
    forwardcredential: fields.forward_credential,
    forwardoptions: fields.forward_options,
    tlscertpath: fields.tls_cert_path,
    tlsinsecure: fields.tls_insecure,
    timeouts: {
      connect: milliseconds(timeouts.connect_ms),
      header: milliseconds(timeouts.header_ms),
      body: milliseconds(timeouts.body_ms),
      idle: milliseconds(timeouts.idle_ms),
    },
    dynamicprice: {
      enabled: price.enabled,
      grpcaddress: price.grpc_address,
      insecure: price.insecure,
      tlscertpath: price.tls_cert_path,
      metered: price.metered,
      usagetailbytes: price.usage_tail_bytes,
    },
  })
  if (read.success) return read.data
  const problems = read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
  throw new PinholeError('ERR_ADMIN_REQUEST', problems.join('; '))
}

/** What an entry of the configuration has that says only its name. */
export const standardFields = (): ServiceFields => fieldsOf(schema.parse({}))

const SCHEMES = {
  AUTH_SCHEME_L402: 'l402',
  AUTH_SCHEME_MPP: 'mpp',
  AUTH_SCHEME_L402_MPP: 'l402+mpp',
} as const satisfies Record<z.output<typeof authScheme>, string>

function schemeOf(text: string): z.output<typeof authScheme> {
  const scheme = text.toLowerCase()
  if (!scheme.includes('mpp')) return 'AUTH_SCHEME_L402'
  return scheme.includes('l402') ? 'AUTH_SCHEME_L402_MPP' : 'AUTH_SCHEME_MPP'
}
