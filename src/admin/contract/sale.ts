/** What was offered, what was paid, and sums of it. */
import { z } from 'zod'
import { flag, hex, int64, page, shaped, time, timeOrNothing } from './values.ts'

const timeOrNone = z.union([time, z.literal('')])

/** An offer of a token, paid or not. */
export const transaction = z.object({
  id: z.int(),
  token_id: hex,
  payment_hash: hex,
  service_name: z.string(),
  price_sats: int64,
  /** `pending` or `settled`. */
  state: z.string(),
  created_at: time,
  /** Empty until it is paid. */
  settled_at: timeOrNone,
  price_msat: int64,
  /** `l402`, `mpp_charge`. */
  auth_type: z.string(),
  /** Brought over from an Aperture. */
  imported: z.boolean(),
  /** Whether its token is not revoked. */
  valid: z.boolean(),
  /** A payment of one's own, left out of sums when asked. */
  test: z.boolean(),
})

/** Filters of a list of transactions; both dates or none, compared with `settled_at`. */
export const listTransactions = z.strictObject({
  service: z.string().default(''),
  /** `pending`, `settled` or any. */
  state: shaped('^(pending|settled)?$').default(''),
  start_date: timeOrNothing,
  end_date: timeOrNothing,
  /** Beginning of a token id or payment hash. */
  search: z.string().max(64).optional(),
  exclude_test: flag.optional(),
  ...page,
})

/** A part of the list, newest first, and how many there are in all. */
export const transactionList = z.object({ transactions: z.array(transaction), total_count: int64 })

/** A part of the paid ones, newest first, and how many there are in all. */
export const tokenList = z.object({ tokens: z.array(transaction), total_count: int64 })

/** A time span: both or none, RFC 3339. */
export const span = { from: timeOrNothing, to: timeOrNothing }

/** Of a token. */
export const tokenId = shaped('^[0-9a-fA-F]{64}$')

/** Totals of what was paid. */
export const stats = z.object({
  total_revenue_sats: int64,
  transaction_count: int64,
  service_breakdown: z.array(z.object({ service_name: z.string(), total_revenue_sats: int64 })),
})

/**
 * What happened in one step of time, by service; steps without anything are left out. `served_paid`, paid requests that
 * were let through, is counted since the hub's start only.
 */
export const seriesPoint = z.object({
  at: time,
  service_name: z.string(),
  offered: z.int(),
  settled: z.int(),
  revenue_msat: int64,
  served_paid: z.int(),
})

/** What became of the offers made in the span: paid, and their token shown. */
export const funnel = z.object({ offered: z.int(), settled: z.int(), used: z.int() })

/** What a token says, and whether it opens its service now. */
export const decodedToken = z.object({
  token_id: hex,
  payment_hash: hex,
  version: z.int(),
  location: z.string(),
  caveats: z.array(z.object({ condition: z.string(), value: z.string() })),
  expires_at: timeOrNone,
  /** `valid`, or why it is refused. */
  verdict: z.string(),
})
