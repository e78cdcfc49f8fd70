/** The kinds of value a key can take, each a zod schema that reads what YAML or a flag holds. */
import { z } from 'zod'
import { parseAddress } from './address.ts'
import { parseDuration } from './duration.ts'
import { parseSize } from './size.ts'
import { Scalar } from './tree.ts'

/** How the command line gives a key: `switch` needs no value, `list` may be repeated. */
export type FlagKind = 'switch' | 'value' | 'list'

/** What is noted about each key's schema. */
export interface Leaf {
  readonly flag: FlagKind
  /** A file or folder: `~` and `$VAR` are expanded. */
  readonly path?: true
}

/** Notes about the schemas made here; a schema that is not in it is a section. */
export const leaves = z.registry<Leaf>()

const asValue = (raw: unknown) => (raw instanceof Scalar ? raw.value : raw)

/** Aperture takes any scalar where it wants text, the way it was written. */
function asText(raw: unknown): unknown {
  if (raw instanceof Scalar) return raw.source
  return typeof raw === 'number' || typeof raw === 'boolean' ? String(raw) : raw
}

/** `value` as an error message quotes it. */
export function quote(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (value instanceof Scalar) return value.source
  if (value === undefined) return 'left out'
  if (typeof value === 'object' && value !== null) return 'a section'
  return JSON.stringify(value)
}

const expected = (what: string) => ({
  error: (issue: { input?: unknown }) => `must be ${what}, not ${quote(issue.input)}`,
})

/** `true` or `false`. */
export const toggle = (standard: boolean) =>
  z
    .preprocess(asValue, z.boolean(expected('true or false')))
    .default(standard)
    .register(leaves, { flag: 'switch' })

/** Text without a default of its own. */
export const plainText = () => z.preprocess(asText, z.string(expected('text')))

/** Any text. */
export const text = (standard = '') =>
  plainText().default(standard).register(leaves, { flag: 'value' })

/** A file or folder; empty when not set. */
export const path = (standard = '') =>
  plainText().default(standard).register(leaves, { flag: 'value', path: true })

/** Aperture takes whole numbers in quotes, and with `_` between their digits. */
const WHOLE_NUMBER = /^[+-]?(?:0|[1-9][\d_]*)$/

function asNumber(raw: unknown): unknown {
  if (typeof raw !== 'string') return asValue(raw)
  return WHOLE_NUMBER.test(raw) ? Number(raw.replaceAll('_', '')) : raw
}

/** What `raw` is to Aperture, which reads `010` as eight, where that is another number than here. */
function otherwiseRead(raw: unknown): number | undefined {
  if (!(raw instanceof Scalar) || !/^[+-]?0[0-7]+$/.test(raw.source)) return undefined
  const octal = Number.parseInt(raw.source, 8)
  return octal === raw.value ? undefined : octal
}

/** A whole number from `min` to `max` that must be given. */
export const requiredInt = (min = 0, max = Number.MAX_SAFE_INTEGER) => {
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`
  const rule = expected(`a whole number ${range}`)
  return z
    .preprocess(
      (raw, context) => {
        const other = otherwiseRead(raw)
        if (other === undefined) return asNumber(raw)
        const message = `is ${other} to Aperture and ${quote(asValue(raw))} here: write the one that is meant, without a zero before it`
        context.addIssue({ code: 'custom', message })
        return z.NEVER
      },
      z.int(rule).min(min, rule).max(max, rule),
    )
    .register(leaves, { flag: 'value' })
}

/** A whole number from `min` to `max`. */
export const int = (standard: number, min = 0, max = Number.MAX_SAFE_INTEGER) =>
  requiredInt(min, max).default(standard).register(leaves, { flag: 'value' })

/** One of `values`. */
export const choice = <const T extends readonly [string, ...string[]]>(
  values: T,
  standard: T[number],
) => {
  const shown = values.map((value) => (value === '' ? '""' : value)).join(', ')
  return z
    .preprocess(asText, z.enum(values, expected(`one of ${shown}`)))
    .default(standard)
    .register(leaves, { flag: 'value' })
}

/** Text that `read` understands; what it returns is the value. */
function reading<T>(read: (text: string) => T | undefined, what: string) {
  return z.preprocess(
    asText,
    z.string(expected(what)).transform((input, context): T => {
      const value = read(input)
      if (value !== undefined) return value
      context.addIssue({ code: 'custom', message: `must be ${what}, not ${quote(input)}` })
      return z.NEVER
    }),
  )
}

const DURATIONS = {
  any: { least: -Infinity, what: 'a duration such as 30s, 1h30m or -1s' },
  'not negative': { least: 0, what: 'a duration such as 30s or 1h30m' },
  positive: { least: Number.MIN_VALUE, what: 'a duration such as 30s or 1h30m, longer than 0' },
} as const

/** What a duration may be besides positive. */
type Sign = keyof typeof DURATIONS

/** A Go duration that must be given, in milliseconds once read. */
export const requiredDuration = (sign: Sign = 'not negative') => {
  const { least, what } = DURATIONS[sign]
  const read = (input: string) => {
    const ms = parseDuration(input)
    return ms !== undefined && ms >= least ? ms : undefined
  }
  return reading(read, what).register(leaves, { flag: 'value' })
}

/** A Go duration, in milliseconds once read. */
export const duration = (standardMs: number, sign: Sign = 'not negative') =>
  requiredDuration(sign).default(standardMs).register(leaves, { flag: 'value' })

function positiveSize(input: string): number | undefined {
  const bytes = parseSize(input)
  return bytes === 0 ? undefined : bytes
}

/** A number of bytes such as 65536, 64KiB or 256MiB; never 0. */
export const size = (standardBytes: number) =>
  reading(positiveSize, 'a number of bytes such as 65536, 64KiB or 256MiB')
    .default(standardBytes)
    .register(leaves, { flag: 'value' })

/** `host:port`; kept as text. */
export const address = (standard = '') =>
  reading(
    (input) => (input === '' || parseAddress(input) ? input : undefined),
    'an address such as localhost:8081, 0.0.0.0:8081 or [::]:8081',
  )
    .default(standard)
    .register(leaves, { flag: 'value' })

/** A list of texts. */
export const texts = () =>
  z.array(plainText(), expected('a list')).default([]).register(leaves, { flag: 'list' })

/** Names of one's own choice with a text each. */
export const named = (value: ReturnType<typeof plainText> = plainText()) =>
  z
    .preprocess(asValue, z.record(z.string(), value, expected('a section of names and texts')))
    .default({})

/** A section with keys of its own. */
export const entry = <S extends z.ZodRawShape>(shape: S) =>
  z.preprocess(asValue, z.strictObject(shape, expected('a section with keys of its own')))

/** A section with keys of its own, which may be left out. */
export const section = <S extends z.ZodRawShape>(shape: S) => entry(shape).prefault({})
