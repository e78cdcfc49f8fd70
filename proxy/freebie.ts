/** Requests that a client network has for nothing (`auth: freebie N`). */
import { LRUCache } from 'lru-cache'
import type { Service } from './service.ts'

/** Networks whose requests are counted, over all services; the one not seen longest is forgotten first. */
const MAX_COUNTS = 100_000

/** Counts what was given away; outlives reloads. */
export class Freebies {
  readonly #taken = new LRUCache<string, number>({ max: MAX_COUNTS })

  /** Whether a network (`addressPrefix`) still has a free request of `service`; if so it is used up now. */
  take(service: Service, prefix: string): boolean {
    if (service.auth.level !== 'freebie') return false
    const key = `${prefix} ${service.name}`
    const taken = this.#taken.get(key) ?? 0
    if (taken >= service.auth.free) return false
    this.#taken.set(key, taken + 1)
    return true
  }

  /** Of a request that was refused after all. */
  giveBack(service: Service, prefix: string): void {
    const key = `${prefix} ${service.name}`
    const taken = this.#taken.get(key)
    if (taken !== undefined && taken > 0) this.#taken.set(key, taken - 1)
  }
}
