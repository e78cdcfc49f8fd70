/** An answer in words that two proxies share: what differs by chance is described, not shown. */
import { createHash } from 'node:crypto'
import { decodeInvoice } from '../../src/bolt11/decode.ts'
import { parseChallenge } from '../../proxy/l402/index.ts'
import { readMacaroon } from './macaroon.ts'
import type { Answer } from './exchange.ts'
import type { Places } from './config.ts'

/** What is compared. */
export interface Normal {
  readonly status: number
  readonly headers: Record<string, unknown>
  readonly body: unknown
  readonly trailers: Record<string, readonly string[]>
  readonly interim: readonly number[]
  readonly broken: string | undefined
}

/** Headers that say nothing about the proxy. */
const CHANCE = new Set(['date', 'connection', 'keep-alive', 'transfer-encoding', 'content-length'])

/** Longest body that is compared as text. */
const MAX_TEXT = 2_000

/** Describes `answer` of the proxy that runs with `places`. */
export function normal(
  answer: Answer,
  places: Pick<Places, 'port' | 'h1' | 'h2' | 'dead'>,
): Normal {
  const headers: Record<string, unknown> = {}
  for (const [name, lines] of Object.entries(answer.headers).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!CHANCE.has(name)) headers[name] = describe(name, lines)
  }
  return {
    status: answer.status,
    headers,
    body: bodyOf(answer.body, places),
    trailers: answer.trailers,
    interim: answer.interim,
    broken: answer.broken,
  }
}

function describe(name: string, lines: readonly string[]): unknown {
  switch (name) {
    case 'www-authenticate':
      return lines.map(challenge)
    case 'retry-after':
      return lines.map((line) => `about ${Math.round(Number(line) / 60)} min`)
    default:
      return lines
  }
}

function challenge(line: string): unknown {
  const [parsed] = parseChallenge([line])
  if (!parsed) return line
  const { caveats, location, identifier } = readMacaroon(parsed.macaroon)
  const invoice = decodeInvoice(parsed.invoice)
  return {
    scheme: parsed.scheme,
    form: line.replaceAll(/"[^"]{40,}"/g, '"…"'),
    location,
    identifier: `${identifier.length} bytes`,
    caveats: caveats.map((text) => text.replace(/(?<=_valid_until=)\d+$/, '<unix>')).sort(),
    amountMsat: String(invoice.amountMsat),
    paymentHash: Buffer.compare(identifier.subarray(2, 34), invoice.paymentHash) === 0,
  }
}

function bodyOf(
  body: string,
  { port, h1, h2, dead }: Pick<Places, 'port' | 'h1' | 'h2' | 'dead'>,
): unknown {
  if (body.length > MAX_TEXT) {
    return `${body.length} bytes, ${createHash('sha256').update(body, 'latin1').digest('hex')}`
  }
  const text = body
    .replaceAll(`127.0.0.1:${port}`, '<self>')
    .replaceAll(`127.0.0.1:${h1}`, '<h1>')
    .replaceAll(`127.0.0.1:${h2}`, '<h2>')
    .replaceAll(`127.0.0.1:${dead}`, '<dead>')
    .replaceAll(/[A-Za-z0-9+/=]{120,}:[0-9a-f]{64}/g, '<credential>')
    .replaceAll(/[0-9a-f]{200,}/g, '<hex macaroon>')
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}
