/** What each client address has in use: boxes, streams, bytes. An address with nothing is forgotten. */
import { isIPv6 } from 'node:net'
import { Allowance } from './allowance.ts'
import { largestCharge, type RelayLimits } from './limits.ts'
import type { PinholeError } from '../../src/base/errors.ts'
import { overLimit } from './refusals.ts'

/** One address's use. */
export interface Account {
  readonly key: string
  readonly bytes: Allowance
  boxes: number
  streams: number
}

export class Accounts {
  readonly #limits: RelayLimits
  readonly #accounts = new Map<string, Account>()

  constructor(limits: RelayLimits) {
    this.#limits = limits
  }

  /** Addresses that have something in use. */
  get size(): number {
    return this.#accounts.size
  }

  /** The account of `address`; to be `settle`d when the caller is through with it. */
  of(address: string): Account {
    const key = accountKey(address)
    let account = this.#accounts.get(key)
    if (!account) {
      const bytes = new Allowance(
        this.#limits.maxBufferedBytesPerAddress,
        largestCharge(this.#limits),
      )
      account = { key, bytes, boxes: 0, streams: 0 }
      this.#accounts.set(key, account)
    }
    return account
  }

  /** Counts one more stream of `address`, or says why not. */
  openStream(address: string): Account | PinholeError {
    const account = this.of(address)
    const max = this.#limits.maxStreamsPerAddress
    if (account.streams >= max) {
      return overLimit('too many open streams from one address', 'maxstreamsperaddress', max)
    }
    account.streams++
    return account
  }

  /** The stream of `openStream` is gone. */
  closeStream(account: Account): void {
    account.streams--
    this.settle(account)
  }

  /** Forgets `account` when nothing is in use. */
  settle(account: Account): void {
    if (account.boxes === 0 && account.streams === 0 && account.bytes.used === 0) {
      this.#accounts.delete(account.key)
    }
  }
}

/** IPv4 counts by address, IPv6 by /64, which is what one customer gets; mapped IPv4 counts as IPv4. */
export function accountKey(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped !== undefined) return mapped
  const bare = address.split('%')[0] ?? ''
  if (!isIPv6(bare)) return address
  const [left = '', right] = bare.split('::')
  const head = left === '' ? [] : left.split(':')
  const tail = right === undefined || right === '' ? [] : right.split(':')
  const zeros = right === undefined ? 0 : Math.max(0, 8 - head.length - tail.length)
  const groups = [...head, ...Array<string>(zeros).fill('0'), ...tail]
  return `${groups.slice(0, 4).map(canonical).join(':')}::/64`
}

const canonical = (group: string): string => Number.parseInt(group, 16).toString(16)
