/** `debuglevel` as lnd writes it: a level for all, then levels for parts. */

/** lnd's log levels, from most to least. */
export const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'critical', 'off'] as const

/** One of them. */
export type Level = (typeof LEVELS)[number]

/** What lines are from; `HUB` is all that names no part. */
// prettier-ignore
const PARTS = [
  'HUB', 'LISTENER', 'CERTIFICATE', 'RELAY', 'NODE', 'PROXY', 'PAYWALL', 'INVOICES', 'STORE', 'SERVICES', 'ADMIN', 'STATIC',
  'PROFILE', 'BUYER', 'UPSTREAM',
] as const

/** Aperture's names of parts, for levels in an existing configuration, and one of our own earlier ones. */
const OTHER_NAMES: Readonly<Record<string, readonly string[]>> = {
  ADMN: ['ADMIN'],
  APER: ['HUB'],
  AUTH: ['PAYWALL'],
  CHLL: ['INVOICES'],
  HMAIL: ['RELAY'],
  L402: ['PAYWALL'],
  LNC: ['NODE'],
  LNCS: ['NODE'],
  LNDC: ['NODE'],
  MINT: ['PAYWALL'],
  // Sessions of MPP, which there are none of.
  MPAY: [],
  PRXY: ['PROXY', 'PAYWALL'],
}

/** Levels as they are meant. */
export interface Levels {
  readonly all: Level
  readonly byPart: ReadonlyMap<string, Level>
}

const isLevel = (text: string): text is Level => (LEVELS as readonly string[]).includes(text)

/** The parts of that name; `undefined` for a name that none has. */
function partsOf(name: string): readonly string[] | undefined {
  const upper = name.toUpperCase()
  const own: readonly string[] = PARTS
  if (own.includes(upper)) return [upper]
  return Object.hasOwn(OTHER_NAMES, upper) ? OTHER_NAMES[upper] : undefined
}

/** Reads `debuglevel`; what is wrong with it in one sentence, where something is. Empty means `info`. */
export function parseLevels(debuglevel: string): Levels | string {
  let all: Level = 'info'
  const byPart = new Map<string, Level>()
  const entries = debuglevel === '' ? [] : debuglevel.split(',').map((entry) => entry.trim())
  for (const [at, entry] of entries.entries()) {
    const equals = entry.indexOf('=')
    const level = entry.slice(equals + 1)
    if (!isLevel(level)) {
      return `"${level}" is no level: use one of ${LEVELS.join(', ')}, or info,PART=debug`
    }
    if (equals < 0 && at > 0) {
      return `"${level}" is a second level for all: name a part before it, as in PROXY=${level}`
    }
    if (equals < 0) {
      all = level
      continue
    }
    const name = entry.slice(0, equals)
    const parts = partsOf(name)
    if (!parts) {
      return `"${name}" is no part of the hub: use ${PARTS.join(', ')}, or Aperture's names`
    }
    for (const part of parts) byPart.set(part, level)
  }
  return { all, byPart }
}
