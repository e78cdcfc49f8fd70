import { compilePattern } from '../../proxy/pattern.ts'
import type { Service } from '../../proxy/service.ts'
import type { ServiceConfig } from '../../proxy/service-config.ts'

/** The configuration of one service as loading fills it in. */
export function serviceConfig(values: Partial<ServiceConfig> = {}): ServiceConfig {
  return {
    name: 'paid',
    hostregexp: '',
    pathregexp: '',
    address: '127.0.0.1:8080',
    protocol: 'http',
    tlscertpath: '',
    tlsinsecure: false,
    auth: { level: 'on' },
    authscheme: '',
    headers: {},
    timeout: 0,
    capabilities: '',
    constraints: {},
    price: 0,
    authwhitelistpaths: [],
    authskipinvoicecreationpaths: [],
    ratelimits: [],
    rewrite: { prefix: '' },
    node: '',
    forwardcredential: false,
    forwardoptions: false,
    timeouts: { connect: 10_000, header: 60_000, body: 300_000, idle: 60_000 },
    dynamicprice: { enabled: false, metered: false },
    ...values,
  }
}

/** A compiled service. */
export function service(values: Partial<Service> = {}): Service {
  return {
    name: 'paid',
    host: undefined,
    path: undefined,
    upstream: {
      protocol: 'http',
      address: '127.0.0.1:8080',
      certificate: undefined,
      insecureTls: false,
      timeouts: { connectMs: 10_000, headerMs: 60_000, bodyMs: 300_000, idleMs: 60_000 },
    },
    auth: { level: 'on' },
    openPaths: [],
    quietPaths: [],
    priceMsat: 1_000n,
    dynamicPrice: false,
    timeoutSeconds: 0,
    capabilities: '',
    constraints: [],
    rateLimits: [],
    headers: [],
    rewritePrefix: '',
    forwardCredential: false,
    forwardOptions: false,
    node: undefined,
    ...values,
  }
}

/** Compiles each pattern. */
export const patterns = (...sources: readonly string[]) => sources.map(compilePattern)
