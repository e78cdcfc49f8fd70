/** A folder for one test file, and rows to put into a store. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after } from 'node:test'
import type { NewToken } from '../../proxy/token-store.ts'
import type { PooledInvoice } from '../../src/invoices/pool-store.ts'
import { openStore, type Store, type StoreOptions } from '../../src/store/store.ts'

const folder = mkdtempSync(path.join(os.tmpdir(), 'pinhole-store-'))
after(() => rmSync(folder, { recursive: true }))
let count = 0

/** A path of its own below a folder that goes with the process. */
export const freshFile = (): string => path.join(folder, String(count++), 'pinhole.db')

/** Runs `use` with a store in a file of its own, or in `file`, and closes it. */
export async function withStore(
  use: (store: Store, file: string) => Promise<void>,
  options: StoreOptions = {},
  file = freshFile(),
): Promise<void> {
  const store = openStore(file, options)
  try {
    await use(store, file)
  } finally {
    await store.close()
  }
}

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

/** Bytes without the class that they came in. */
export const plain = (bytes: Uint8Array | undefined): Uint8Array | undefined =>
  bytes && new Uint8Array(bytes)
