/** Turns the configuration of services into what requests are served by. */
import { MSAT_PER_SAT } from '../src/base/amount.ts'
import { readHeaders } from './injected-headers.ts'
import { compilePattern } from './pattern.ts'
import type { Pattern, RateLimit, Service } from './service.ts'
import {
  type CompileDeps,
  type Fail,
  failOf,
  reasonOf,
  type ServiceConfig,
  show,
} from './service-config.ts'
import { readUpstream } from './upstream.ts'

export type { CompileDeps, ServiceConfig } from './service-config.ts'

function pattern(source: string, key: string, fail: Fail): Pattern {
  try {
    return compilePattern(source)
  } catch (error) {
    const what = `must be a regular expression in Go's RE2 syntax, not ${show(source)}`
    return fail(key, `${what}: ${reasonOf(error)}`, error)
  }
}

const optionalPattern = (source: string, key: string, fail: Fail): Pattern | undefined =>
  source === '' ? undefined : pattern(source, key, fail)

const patterns = (sources: readonly string[], key: string, fail: Fail): readonly Pattern[] =>
  Object.freeze(sources.map((source, index) => pattern(source, `${key}[${index}]`, fail)))

function rateLimits({ ratelimits }: ServiceConfig, fail: Fail): readonly RateLimit[] {
  const limits = ratelimits.map(({ pathregexp, requests, per, burst }, index) =>
    Object.freeze({
      path: optionalPattern(pathregexp, `ratelimits[${index}].pathregexp`, fail),
      requests,
      perMs: per,
      burst: burst === 0 ? requests : burst,
    }),
  )
  return Object.freeze(limits)
}

/** A name goes into caveats (`services=<name>:0`, `<name>_valid_until=…`) and into a header. */
function checkName({ name, auth }: ServiceConfig, fail: Fail): void {
  if (/\p{Cc}/u.test(name)) fail('name', `must have no control characters, not ${show(name)}`)
  if (auth.level === 'off') return
  if (name === '') fail('name', 'must be given, since tokens of the service are sold by its name')
  if (/[:,=]/.test(name)) {
    fail(
      'name',
      `must have no colon, comma or equals sign, not ${show(name)}: tokens would not verify`,
    )
  }
}

function checkPayment({ auth, authscheme, dynamicprice }: ServiceConfig, fail: Fail): void {
  if (dynamicprice.metered && !dynamicprice.enabled) {
    fail('dynamicprice.metered', 'must be false, not true, unless dynamicprice.enabled is true')
  }
  const scheme = authscheme.toLowerCase()
  if (auth.level === 'off' || scheme === '' || scheme.includes('l402')) return
  const why = 'this version sells by L402 only'
  fail('authscheme', `must be left out or contain l402, not ${show(authscheme)}: ${why}`)
}

/** `/api//v1/` as `/api/v1`: a request's path begins with a slash of its own. */
function rewritePrefix({ rewrite: { prefix } }: ServiceConfig, fail: Fail): string {
  const valid = /^(?:\/(?:[\w\-.~!$&'()*+,;=:@/]|%[0-9a-fA-F]{2})*)?$/
  const dots = /(?:^|\/)(?:\.|%2e){1,2}(?:\/|$)/i
  if (!valid.test(prefix) || dots.test(prefix)) {
    const what = 'an absolute, percent-encoded path without dot segments, such as /api'
    fail('rewrite.prefix', `must be ${what}, not ${show(prefix)}`)
  }
  return prefix.replace(/\/{2,}/g, '/').replace(/\/$/, '')
}

/**
 * Compiles one service; the result is frozen. Files and environment variables are read now, once.
 * @throws PinholeError `ERR_CONFIG_VALUE` that names the service, the key and what is valid.
 */
export function compileService(config: ServiceConfig, deps: CompileDeps): Service {
  const fail = failOf(config, deps)
  checkName(config, fail)
  checkPayment(config, fail)
  const constraints = Object.entries(config.constraints).map((entry) => Object.freeze(entry))
  return Object.freeze({
    name: config.name,
    host: optionalPattern(config.hostregexp, 'hostregexp', fail),
    path: optionalPattern(config.pathregexp, 'pathregexp', fail),
    upstream: readUpstream(config, deps, fail),
    auth: Object.freeze({ ...config.auth }),
    openPaths: patterns(config.authwhitelistpaths, 'authwhitelistpaths', fail),
    quietPaths: patterns(config.authskipinvoicecreationpaths, 'authskipinvoicecreationpaths', fail),
    // Aperture: a price of 0 is 1 satoshi.
    priceMsat: BigInt(config.price === 0 ? 1 : config.price) * MSAT_PER_SAT,
    dynamicPrice: config.dynamicprice.enabled,
    timeoutSeconds: config.timeout,
    capabilities: config.capabilities,
    constraints: Object.freeze(constraints),
    rateLimits: rateLimits(config, fail),
    headers: readHeaders(config, deps, fail),
    rewritePrefix: rewritePrefix(config, fail),
    forwardCredential: config.forwardcredential,
    forwardOptions: config.forwardoptions,
    node: config.node === '' ? undefined : config.node,
  })
}

/**
 * Compiles all services, in their order.
 * @throws PinholeError `ERR_CONFIG_VALUE` as `compileService`, and when two services have one name: a token
 * of the one would open the other.
 */
export function compileServices(
  configs: readonly ServiceConfig[],
  deps: CompileDeps,
): readonly Service[] {
  const names = new Set<string>()
  for (const config of configs) {
    const { name } = config
    if (name !== '' && names.has(name)) {
      const why = 'must be the name of one service only: tokens of the one would open the other'
      failOf(config, deps)('name', why)
    }
    names.add(name)
  }
  return Object.freeze(configs.map((config) => compileService(config, deps)))
}
