/** A service as the paywall sees it: one entry of `services`, compiled, frozen and shared by all requests. */

/** A compiled RE2 pattern. Matches anywhere in the text unless it is anchored, in linear time. */
export interface Pattern {
  readonly source: string
  test(text: string): boolean
}

/** How a service asks for payment: `freebie` lets each client network have `free` requests first. */
export type Auth =
  | { readonly level: 'on' }
  | { readonly level: 'off' }
  | { readonly level: 'freebie'; readonly free: number }

/** Where a service's requests go. */
export interface Upstream {
  /** `http` speaks HTTP/1.1, `h2c` HTTP/2 in cleartext, `https` what ALPN settles, HTTP/2 first. */
  readonly protocol: 'http' | 'https' | 'h2c'
  /** `host:port`, or the path of a Unix socket after `unix:`. */
  readonly address: string
  /** PEM to trust in place of the system's certificates. */
  readonly certificate: string | undefined
  /** Accept any certificate. */
  readonly insecureTls: boolean
  readonly timeouts: UpstreamTimeouts
}

/** Milliseconds; 0 is for ever. */
export interface UpstreamTimeouts {
  readonly connectMs: number
  /** From the end of the request to the first byte of the response's headers. */
  readonly headerMs: number
  /** Longest silence within a body, in either direction. */
  readonly bodyMs: number
  /** A pooled connection without a request. */
  readonly idleMs: number
}

/** How often one client may ask, after the payment. */
export interface RateLimit {
  /** Decoded paths that it is for; all without one. */
  readonly path: Pattern | undefined
  readonly requests: number
  readonly perMs: number
  readonly burst: number
}

/** One service. */
export interface Service {
  readonly name: string
  /** Over the `Host` header, port and all; `undefined` is any. */
  readonly host: Pattern | undefined
  /** Over the decoded path; `undefined` is any. */
  readonly path: Pattern | undefined
  readonly upstream: Upstream
  readonly auth: Auth
  /** Decoded paths that need no payment. */
  readonly openPaths: readonly Pattern[]
  /** Decoded paths that draw 401 in place of an invoice. */
  readonly quietPaths: readonly Pattern[]
  /** Price of a token when no pricer says otherwise, in millisatoshis. */
  readonly priceMsat: bigint
  /** Whether a price service names the price of each path, in place of the one above. */
  readonly dynamicPrice: boolean
  /** Seconds that a token is good for; 0 is for ever. */
  readonly timeoutSeconds: number
  /** Value of the caveat `<name>_capabilities`. */
  readonly capabilities: string
  /** Further caveats, verbatim. */
  readonly constraints: readonly (readonly [condition: string, value: string])[]
  readonly rateLimits: readonly RateLimit[]
  /** Sent to the upstream in place of the client's headers of the same names (lower case). */
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** Put before the path toward the upstream; empty is nothing. */
  readonly rewritePrefix: string
  /** Whether the upstream sees the credential. */
  readonly forwardCredential: boolean
  /** Whether OPTIONS goes to the upstream in place of being answered here. */
  readonly forwardOptions: boolean
  /** Name of the node that invoices come from; the hub's own choice without one. */
  readonly node: string | undefined
}
