/** Root keys on disk, behind the paywall's port. */
import type { Database } from 'better-sqlite3'
import type { NewToken, TokenStore } from '../../proxy/token-store.ts'
import { toHex } from '../base/bytes.ts'
import { PinholeError } from '../base/errors.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { isRefusal, storeError } from './failure.ts'
import type { InvoicePool } from './pool.ts'
import type { Sales } from './sales.ts'
import type { Transaction } from './transactions.ts'
import { own } from './write.ts'
import { STALLED_MS, type Writer } from './writer.ts'

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

  const store = async (token: NewToken): Promise<void> => {
    try {
      await writer.ask({ name: 'sell', token })
      pool.sold(token.paymentHash)
      sales.offered(token)
    } catch (reason) {
      // Its invoice has not left; one that was refused is sold already and must not come back.
      if (!isRefusal(reason)) pool.giveBack(token.paymentHash)
      throw reason
    }
  }

  const read = reading(database.name, log)

  return {
    async add(given) {
      const token = ownToken(given)
      await within(clock, database.name, store(token))
      // Sold is only what can be found again: a damaged file takes writes, too.
      if (read(() => rootKeys.get(token.identifierHash))) return
      throw storeError(database.name, new Error('what was written is not there'))
    },
    ready: () => writer.mayAsk(),
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

/** Turns what SQLite throws into errors of ours, and logs when that begins. */
function reading(file: string, log: Log): <T>(query: () => T) => T {
  let unreadable = false
  return (query) => {
    try {
      const found = query()
      unreadable = false
      return found
    } catch (reason) {
      const error = storeError(file, reason)
      if (!unreadable) log.error({ error }, 'the database cannot be read, paid tokens are refused')
      unreadable = true
      throw error
    }
  }
}

/** Rejects when `storing` takes too long; it goes on, and then nobody has seen what it stored. */
async function within(clock: Clock, file: string, storing: Promise<void>): Promise<void> {
  let cancel = () => {}
  const late = new Promise<never>((_, reject) => {
    cancel = clock.after(STALLED_MS, () => {
      const text = `the database ${file} has taken nothing for ${STALLED_MS / 1_000} s`
      reject(new PinholeError('ERR_STORE_OPEN', text))
    })
  })
  try {
    await Promise.race([storing, late])
  } finally {
    cancel()
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
