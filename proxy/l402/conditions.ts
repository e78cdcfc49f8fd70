/**
 * Whether a token's caveats are met: those that are known must hold, and where one is repeated each may
 * only take away from the one before, since anyone may add caveats. Others are skipped, as Aperture does.
 *
 * Stricter than Aperture in three: a token without any `services` opens nothing (none is minted); a later tier must not be
 * higher; repeated capabilities must shrink.
 */
import { SERVICES, capabilitiesOf, caveatName, parseCaveat, validUntil } from './caveat.ts'

/** What the caveats say. */
export type Conditions =
  | {
      readonly name: 'met'
      /** Milliseconds since 1970. */ readonly expiresAtMs: number | undefined
    }
  | { readonly name: 'unmet'; readonly reason: 'service' | 'expired' | 'caveat' }

const MAX_TIER = 255
const INT64 = 64

const unmet = (reason: 'service' | 'expired' | 'caveat'): Conditions => ({ name: 'unmet', reason })

/** Holds the caveats of a token, in their order, against a request for `service` at `nowMs` (since 1970). */
export function checkConditions(
  caveats: readonly string[],
  service: string,
  nowMs: number,
): Conditions {
  const values = valuesOf(caveats)
  const services = values(SERVICES).map(parseServices)
  const times = values(validUntil(service)).map(parseSeconds)
  const capabilities = values(capabilitiesOf(service)).map((value) => new Set(value.split(',')))
  if (!everyStep(services, withinServices)) return unmet('caveat')
  if (!everyStep(times, (earlier, later) => later <= earlier)) return unmet('caveat')
  if (!everyStep(capabilities, withinSet)) return unmet('caveat')
  if (!services.at(-1)?.has(caveatName(service))) return unmet('service')
  const seconds = times.at(-1)
  if (seconds === undefined) return { name: 'met', expiresAtMs: undefined }
  const expiresAtMs = Number(seconds) * 1000
  return nowMs < expiresAtMs ? { name: 'met', expiresAtMs } : unmet('expired')
}

function valuesOf(caveats: readonly string[]): (condition: string) => readonly string[] {
  const parsed = caveats.flatMap((text) => parseCaveat(text) ?? [])
  return (condition) => parsed.flatMap((c) => (c.condition === condition ? [c.value] : []))
}

/** Whether every value could be read and each is `within` the one before it. */
function everyStep<T>(
  values: readonly (T | undefined)[],
  within: (earlier: T, later: T) => boolean,
): boolean {
  return values.every((later, index) => {
    if (later === undefined) return false
    const earlier = values[index - 1]
    return earlier === undefined || within(earlier, later)
  })
}

type Services = ReadonlyMap<string, number>

/** Tiers by names as they are written; `undefined` when the value is no list of services. */
function parseServices(value: string): Services | undefined {
  const services = new Map<string, number>()
  for (const entry of value.split(',')) {
    const [name, tier, ...more] = entry.split(':')
    if (!name || !tier || more.length > 0 || !/^\d{1,3}$/.test(tier)) return undefined
    if (Number(tier) > MAX_TIER) return undefined
    services.set(name, Math.max(Number(tier), services.get(name) ?? 0))
  }
  return services
}

function withinServices(earlier: Services, later: Services): boolean {
  return [...later].every(([name, tier]) => tier <= (earlier.get(name) ?? -1))
}

function withinSet(earlier: ReadonlySet<string>, later: ReadonlySet<string>): boolean {
  return [...later].every((item) => earlier.has(item))
}

/** A decimal 64-bit integer, as Go's `strconv.ParseInt` reads it; `undefined` when it is none. */
function parseSeconds(value: string): bigint | undefined {
  if (!/^[+-]?\d{1,40}$/.test(value)) return undefined
  const digits = BigInt(value.replace(/^[+-]/, ''))
  const seconds = value.startsWith('-') ? -digits : digits
  return BigInt.asIntN(INT64, seconds) === seconds ? seconds : undefined
}
