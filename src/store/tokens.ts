/** Root keys on disk, behind the paywall's port. */
import type { Database } from 'better-sqlite3'
import type { NewToken, TokenStore } from '../../proxy/token-store.ts'
import { toHex } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { isRefusal, storeError } from './failure.ts'
import type { InvoicePool } from './pool.ts'
import type { Sales } from './sales.ts'
import type { Transaction } from './transactions.ts'
import { own } from './write.ts'
import type { Writer } from './writer.ts'

/** Keeps root keys and transactions, and takes tokens back. */
export interface StoredTokens extends TokenStore {
  /** Deletes the root key for good, then tells the listeners; resolves to whether there was one. */
  revoke(identifierHash: Uint8Array): Promise<boolean>
}

/** What tokens are stored with. */
export interface TokensParts {
  readonly database: Database
  readonly writer: Writer
  readonly pool: InvoicePool
  readonly sales: Sales
  /** The transaction of an identifier's hash. */
  readonly sale: (identifierHash: Uint8Array) => readonly Transaction[]
  readonly clock: Clock
  readonly log: Log
}

/** The tokens of an open database. */
export function storedTokens(parts: TokensParts): StoredTokens {
  const { database, writer, pool, sales, sale, clock, log } = parts
  const listeners = new Set<(identifierHash: Uint8Array) => void>()
  const paying = new Set<string>()
  const { rootKeys, prices, unused } = prepare(database)

  const markPaid = (identifierHash: Uint8Array) => {
    const hex = toHex(identifierHash)
    if (paying.has(hex) || !unused.get(identifierHash)) return
    paying.add(hex)
    const write = { name: 'paid', identifierHash: own(identifierHash), atMs: clock.wall() } as const
    writer.keep(write, (changes) => {
      paying.delete(hex)
      sales.settled(changes, () => sale(write.identifierHash))
    })
  }

  const read = <T>(query: () => T): T => {
    try {
      return query()
    } catch (reason) {
      throw storeError(database.name, reason)
    }
  }

  return {
    async add(token) {
      try {
        await writer.ask({ name: 'sell', token: ownToken(token) })
        pool.sold(token.paymentHash)
        sales.offered(token)
      } catch (reason) {
        // Its invoice has not left; one that was refused is sold already and must not come back.
        if (!isRefusal(reason)) pool.giveBack(token.paymentHash)
        throw reason
      }
    },
    rootKey: (identifierHash) => read(() => rootKeys.get(identifierHash)),
    priceMsat: (identifierHash) => read(() => prices.get(identifierHash)),
    paid(identifierHash) {
      try {
        markPaid(identifierHash)
      } catch (error) {
        log.error({ error }, 'a paid token could not be marked')
      }
    },
    onRevoked(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async revoke(identifierHash) {
      const hash = own(identifierHash)
      const gone = await writer.ask({ name: 'revoke', identifierHash: hash })
      for (const listener of listeners) listener(hash)
      return gone > 0
    },
  }
}

const prepare = (database: Database) => ({
  rootKeys: database
    .prepare<[Uint8Array], Uint8Array>('select root_key from secrets where identifier_hash = ?')
    .pluck(),
  prices: database
    .prepare<[Uint8Array], bigint>('select price_msat from transactions where identifier_hash = ?')
    .pluck()
    .safeIntegers(),
  unused: database.prepare<[Uint8Array]>(
    `select 1 from transactions
     where identifier_hash = ? and (state = 'pending' or used_ms is null)`,
  ),
})

const ownToken = (token: NewToken): NewToken => ({
  identifierHash: own(token.identifierHash),
  rootKey: own(token.rootKey),
  tokenId: own(token.tokenId),
  paymentHash: own(token.paymentHash),
  service: token.service,
  priceMsat: token.priceMsat,
  createdAtMs: token.createdAtMs,
})
