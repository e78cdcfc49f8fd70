/** Caveats of L402: `condition=value`, and those that a service's tokens are minted with. */

/** A restriction. Its text is split at the first `=`. */
export interface Caveat {
  readonly condition: string
  readonly value: string
}

/** Condition that lists the services a token is good for: `name:tier,name:tier`. */
export const SERVICES = 'services'
/** Condition that carries the preimage where a header has no other place for it. */
export const PREIMAGE = 'preimage'
/** Tier of every token that is minted here. */
export const BASE_TIER = 0

/** The caveat that `text` is; `undefined` without a `=`. */
export function parseCaveat(text: string): Caveat | undefined {
  const at = text.indexOf('=')
  if (at < 0) return undefined
  return { condition: text.slice(0, at), value: text.slice(at + 1) }
}

/** The text of a caveat. Throws a `TypeError` when its condition holds a `=`: it would be read as another. */
export function formatCaveat({ condition, value }: Caveat): string {
  if (condition.includes('=')) throw new TypeError(`a condition holds no "=": ${condition}`)
  return `${condition}=${value}`
}

// What separates within a caveat, the mark of the escape itself, and what no text should hold.
const SEPARATORS = /[%,:=\u0000-\u0020\u007f]/g

/**
 * A service's name as caveats write it: as it is, but for separators, which become `%2C` and the like.
 * Aperture writes them too and then cannot read its own token, or never lets it expire; names without
 * them, which is all that work there, come out the same.
 */
export function caveatName(service: string): string {
  return service.replace(
    SEPARATORS,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  )
}

/** Condition of the time, in seconds since 1970, from which a token no longer opens `service`. */
export const validUntil = (service: string): string => `${caveatName(service)}_valid_until`

/** Condition of what a token may do at `service`. */
export const capabilitiesOf = (service: string): string => `${caveatName(service)}_capabilities`

/** What of a service is written into its tokens. */
export interface MintedService {
  readonly name: string
  /** Separated by commas; empty says nothing about them. */
  readonly capabilities: string
  /** Further caveats, verbatim. */
  readonly constraints: readonly (readonly [condition: string, value: string])[]
  /** How long a token is good for; 0 is for ever. */
  readonly timeoutSeconds: number
}

/** The caveats of a token for `service` that is minted at `nowSeconds` (since 1970), in Aperture's order. */
export function serviceCaveats(service: MintedService, nowSeconds: number): readonly Caveat[] {
  const { name, capabilities, constraints, timeoutSeconds } = service
  const caveats: Caveat[] = [
    { condition: SERVICES, value: `${caveatName(name)}:${BASE_TIER}` },
    { condition: capabilitiesOf(name), value: capabilities },
    ...constraints.map(([condition, value]) => ({ condition, value })),
  ]
  if (timeoutSeconds > 0) {
    const value = String(Math.floor(nowSeconds) + timeoutSeconds)
    caveats.push({ condition: validUntil(name), value })
  }
  return caveats
}
