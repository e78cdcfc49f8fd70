/**
 * Credentials that were verified. The second use of one costs a hash: it is not even read, and there is no
 * chain of HMACs and no look-up on disk. A token is forgotten when it is revoked, when it has expired, and when
 * others push it out.
 */
import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Line } from './evidence.ts'
import type { TokenStore } from './token-store.ts'

/** A token that a credential has opened. */
export interface Token {
  /** SHA-256 of the macaroon's identifier, 32 bytes. */
  readonly identifierHash: Uint8Array
  /** Hexadecimal. */
  readonly tokenId: string
  readonly paymentHash: Uint8Array
  /** What it was sold for, where that is known. */
  readonly priceMsat: bigint | undefined
  /** Milliseconds since 1970; `undefined` is for ever. */
  readonly expiresAtMs: number | undefined
  /** Whether the node itself has told that the invoice is settled (strictverify). */
  readonly settled: boolean
}

/** Opened tokens by the line that they were shown in, and service. */
export class RememberedTokens {
  readonly #tokens: LRUCache<string, Token>
  /** Which lines a token has been shown in: attenuated ones differ, and services do. */
  readonly #keys = new Map<string, Set<string>>()
  readonly #stopListening: () => void

  constructor(max: number, tokens: Pick<TokenStore, 'onRevoked'>) {
    this.#tokens = new LRUCache({ max, dispose: (token, key) => this.#unlink(token, key) })
    this.#stopListening = tokens.onRevoked((identifierHash) => this.#revoke(identifierHash))
  }

  /** Lines that are remembered. */
  get size(): number {
    return this.#tokens.size
  }

  /** Under what a line is remembered for a service: a SHA-256, so that no credential lies about. */
  static key({ name, value }: Line, service: string): string {
    // A name has no colon, and the length tells where the service ends.
    return hash('sha256', `${name}:${service.length}:${service}${value}`, 'base64')
  }

  /** The token that is remembered under `key` and is still good at `nowMs` (since 1970). */
  get(key: string, nowMs: number): Token | undefined {
    const token = this.#tokens.get(key)
    if (token?.expiresAtMs !== undefined && nowMs >= token.expiresAtMs) {
      this.#tokens.delete(key)
      return undefined
    }
    return token
  }

  /** Remembers a token. */
  set(key: string, token: Token): void {
    this.#tokens.set(key, token)
    const id = idOf(token.identifierHash)
    const keys = this.#keys.get(id)
    if (keys) keys.add(key)
    else this.#keys.set(id, new Set([key]))
  }

  /** Forgets everything. */
  close(): void {
    this.#stopListening()
    this.#tokens.clear()
  }

  #revoke(identifierHash: Uint8Array): void {
    for (const key of [...(this.#keys.get(idOf(identifierHash)) ?? [])]) this.#tokens.delete(key)
  }

  #unlink({ identifierHash }: Token, key: string): void {
    const id = idOf(identifierHash)
    const keys = this.#keys.get(id)
    keys?.delete(key)
    if (keys?.size === 0) this.#keys.delete(id)
  }
}

const idOf = (identifierHash: Uint8Array) => Buffer.from(identifierHash).toString('base64')
