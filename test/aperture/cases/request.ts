/** How the requests of the comparison are made. */
import { createHash } from 'node:crypto'
import { attenuate } from '../../../proxy/l402/index.ts'
import type { Request } from '../exchange.ts'

/** A token that was bought, for the cases that show one. */
export interface Token {
  readonly macaroon: Uint8Array
  /** 64 hex digits. */
  readonly preimage: string
}

/** What a case is made with: tokens bought from the proxy that is asked. */
export interface Means {
  readonly paid: Token
  readonly second: Token
  readonly grpcpaid: Token
}

/** One request of the comparison. */
export interface Case {
  readonly id: string
  readonly request: Request | ((means: Means) => Request)
}

export type Lines = readonly (readonly [string, string])[]

export const HOST: Lines = [['Host', 'self.test']]

export const get = (target: string, headers: Lines = [], method = 'GET'): Request => ({
  by: 'http1',
  method,
  target,
  headers: [...HOST, ...headers],
})
export const post = (target: string, body: string | Buffer, headers: Lines = []): Request => ({
  by: 'http1',
  method: 'POST',
  target,
  headers: [...HOST, ...headers],
  body,
})
export const from = (source: string, target: string): Request => ({
  by: 'http1',
  method: 'GET',
  target,
  headers: HOST,
  source,
})
export const h2 = (target: string, headers: Lines = [], body?: string): Request => ({
  by: 'http2',
  method: body === undefined ? 'GET' : 'POST',
  target,
  headers,
  ...(body === undefined ? {} : { body }),
})
export const grpc = (
  target: string,
  messages: readonly string[],
  metadata: Lines = [],
): Request => ({
  by: 'grpc',
  target,
  metadata,
  messages,
})
export const raw = (bytes: string): Request => ({ by: 'raw', bytes })
export const upgrade = (target: string, headers: Lines = []): Request => ({
  by: 'upgrade',
  target,
  headers: [
    ...HOST,
    ['Connection', 'Upgrade'],
    ['Upgrade', 'websocket'],
    ['Sec-WebSocket-Version', '13'],
    ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
    ...headers,
  ],
})

export const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')
export const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
export const l402 = ({ macaroon, preimage }: Token, scheme = 'L402') =>
  `${scheme} ${base64(macaroon)}:${preimage}`
export const withCaveat = (token: Token, condition: string, value: string): Token => ({
  ...token,
  macaroon: attenuate(token.macaroon, [{ condition, value }]),
})
export const inOne = (token: Token) => hex(withCaveat(token, 'preimage', token.preimage).macaroon)
export const tampered = ({ macaroon, preimage }: Token): Token => {
  const bytes = Uint8Array.from(macaroon)
  const last = bytes.length - 2
  bytes[last] = (bytes[last] ?? 0) ^ 1
  return { macaroon: bytes, preimage }
}
export const other = (preimage: string) => createHash('sha256').update(preimage).digest('hex')
export const day = (days: number) => String(Math.floor(Date.now() / 1000) + days * 86_400)

/** A paid GET with these lines. */
export const show = (lines: (means: Means) => Lines) => (means: Means) =>
  get('/paid/x', lines(means))
export const authorize = (value: (means: Means) => string) =>
  show((means) => [['Authorization', value(means)]])
