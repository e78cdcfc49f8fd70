/** Rows to put into a store. */
import { randomBytes } from 'node:crypto'
import type { NewToken } from '../../proxy/token-store.ts'
import type { PooledInvoice } from '../../src/invoices/pool-store.ts'

/** 32 random bytes. */
export const hash = (): Uint8Array => new Uint8Array(randomBytes(32))

/** A token with random keys. */
export const newToken = (given: Partial<NewToken> = {}): NewToken => ({
  identifierHash: hash(),
  rootKey: hash(),
  tokenId: hash(),
  paymentHash: hash(),
  service: 'weather',
  priceMsat: 10_000n,
  createdAtMs: 1_000,
  ...given,
})

/** An invoice of node "a" over 10 sat. */
export const newInvoice = (given: Partial<PooledInvoice> = {}): PooledInvoice => ({
  node: 'a',
  amountMsat: 10_000n,
  paymentRequest: 'lnbc1',
  paymentHash: hash(),
  expiresAtMs: 100_000,
  ...given,
})
