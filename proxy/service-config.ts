/** One entry of `services` as the configuration holds it, checked by itself; see sample-conf.yaml. */
import { PinholeError } from '../src/base/errors.ts'
import type { Auth, Upstream } from './service.ts'

/** Keys and values of one service, all of them given. */
export interface ServiceConfig {
  readonly name: string
  readonly hostregexp: string
  readonly pathregexp: string
  readonly address: string
  readonly protocol: Upstream['protocol']
  readonly tlscertpath: string
  readonly tlsinsecure: boolean
  readonly auth: Auth
  readonly authscheme: string
  readonly headers: Readonly<Record<string, string>>
  /** Seconds. */
  readonly timeout: number
  readonly capabilities: string
  readonly constraints: Readonly<Record<string, string>>
  /** Satoshis. */
  readonly price: number
  readonly authwhitelistpaths: readonly string[]
  readonly authskipinvoicecreationpaths: readonly string[]
  readonly ratelimits: readonly RateLimitConfig[]
  readonly rewrite: { readonly prefix: string }
  readonly node: string
  readonly forwardcredential: boolean
  readonly forwardoptions: boolean
  /** Milliseconds. */
  readonly timeouts: {
    readonly connect: number
    readonly header: number
    readonly body: number
    readonly idle: number
  }
  readonly dynamicprice: { readonly enabled: boolean; readonly metered: boolean }
}

/** One entry of `ratelimits`. */
export interface RateLimitConfig {
  readonly pathregexp: string
  readonly requests: number
  /** Milliseconds. */
  readonly per: number
  /** 0 is as many as `requests`. */
  readonly burst: number
}

/** What compiling reads from outside of the configuration. */
export interface CompileDeps {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Contents of a file; throws when it cannot be read. */
  readonly readFile: (path: string) => Uint8Array
  /** Where `key` of a service was written (`pinhole.yaml:7:3: `), which errors begin with; empty where nobody knows. */
  readonly where?: (config: ServiceConfig, key: string) => string
}

/** Throws `ERR_CONFIG_VALUE` about one key of a service. `what` goes on after the key: `must be …, not …`. */
export type Fail = (key: string, what: string, cause?: unknown) => never

/** The `Fail` of `config`. */
export function failOf(config: ServiceConfig, { where = () => '' }: Partial<CompileDeps>): Fail {
  const { name, address } = config
  const service = name === '' ? `service without a name at ${address}` : `service ${show(name)}`
  return (key, what, cause) => {
    throw new PinholeError('ERR_CONFIG_VALUE', `${where(config, key)}${service}: ${key}: ${what}`, {
      cause,
    })
  }
}

/** A value as an error message quotes it. */
export const show = (value: string): string => JSON.stringify(value)

/** What an exception says. */
export const reasonOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error)
