/** One entry of `services` (Aperture's keys). Checked here; the paywall acts on it. */
import { z } from 'zod'
import {
  choice,
  duration,
  entry,
  int,
  named,
  path,
  plainText,
  requiredDuration,
  requiredInt,
  section,
  text,
  texts,
  toggle,
} from './leaves.ts'

const SATOSHIS_PER_BITCOIN = 100_000_000
/** Aperture's upper bound: 100,000 BTC. */
export const MAX_PRICE_SAT = 100_000 * SATOSHIS_PER_BITCOIN
const MAX_USAGE_TAIL_BYTES = 2 ** 20

/** How a service asks for payment: `freebie` lets each client have `free` requests first. */
export type Auth =
  | { readonly level: 'on' }
  | { readonly level: 'off' }
  | { readonly level: 'freebie'; readonly free: number }

// Aperture takes a misspelt word as "off" and dies of a malformed freebie; both are refused here.
function readAuth(input: string): Auth | undefined {
  const word = input.trim().toLowerCase()
  if (word === '' || word === 'on' || word === 'true') return { level: 'on' }
  if (word === 'off' || word === 'false') return { level: 'off' }
  const [, count] = /^freebie (\d{1,9})$/.exec(word) ?? []
  return count === undefined ? undefined : { level: 'freebie', free: Number(count) }
}

const auth = plainText()
  .default('on')
  .transform((input, context): Auth => {
    const read = readAuth(input)
    if (read) return read
    const message = `must be on, off or "freebie N", not ${JSON.stringify(input)}`
    context.addIssue({ code: 'custom', message })
    return z.NEVER
  })

const prefix = text().refine((value) => value === '' || /^\/(?!\/)[^?#]*$/.test(value), {
  error: (issue) => `must be an absolute path such as /api, not ${JSON.stringify(issue.input)}`,
})

/** What stands for the value of a header where a configuration is shown. */
export const HIDDEN_VALUE = '(hidden)'

// Sent as it is, it would reach the upstream in place of a key.
const headerValue = plainText().refine((value) => value !== HIDDEN_VALUE, {
  error: `is ${HIDDEN_VALUE}, which stands for a value that was not shown: put the value itself here, or a variable such as \${NAME}`,
})

const ratelimit = entry({
  pathregexp: text(),
  requests: requiredInt(1),
  per: requiredDuration('positive'),
  burst: int(0),
})

/** Schema of one service. */
export const service = entry({
  name: text(),
  hostregexp: text(),
  pathregexp: text(),
  address: text(),
  protocol: choice(['http', 'https', 'h2c'], 'http'),
  tlscertpath: path(),
  tlsinsecure: toggle(false),
  auth,
  authscheme: text(),
  headers: named(headerValue),
  timeout: int(0),
  capabilities: text(),
  constraints: named(),
  price: int(0, 0, MAX_PRICE_SAT),
  authwhitelistpaths: texts(),
  authskipinvoicecreationpaths: texts(),
  ratelimits: z.array(ratelimit, { error: 'must be a list' }).default([]),
  rewrite: section({ prefix }),
  node: text(),
  forwardcredential: toggle(false),
  forwardoptions: toggle(false),
  timeouts: section({
    connect: duration(10_000),
    header: duration(60_000),
    body: duration(5 * 60_000),
    idle: duration(60_000),
  }),
  dynamicprice: section({
    enabled: toggle(false),
    grpcaddress: text(),
    insecure: toggle(false),
    tlscertpath: path(),
    metered: toggle(false),
    usagetailbytes: int(16_384, 0, MAX_USAGE_TAIL_BYTES),
  }),
})
