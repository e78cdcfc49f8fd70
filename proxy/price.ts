/** What a request costs, asked of the pricer. */
import type { Log } from '../src/base/log.ts'
import type { Pricer } from './pricer.ts'
import type { Routed } from './route.ts'

/** The price in millisatoshis, 0 for nothing; `undefined` when the pricer fails. Never rejects. */
export async function priceOf(
  pricer: Pricer,
  { service, target }: Routed,
  log: Log,
): Promise<bigint | undefined> {
  try {
    const { method, path } = target
    const priceMsat = await pricer.price({ service, method, path })
    if (priceMsat >= 0n) return priceMsat
    log.error({ service: service.name, priceMsat }, 'the pricer named a price below zero')
  } catch (error) {
    log.error({ service: service.name, error }, 'the pricer named no price')
  }
  return undefined
}
