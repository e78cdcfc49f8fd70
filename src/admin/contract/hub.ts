/** The hub itself: its nodes, its relay, its stock of invoices, its findings. */
import { z } from 'zod'
import { int64, time } from './values.ts'

/** `GetInfo`: the first six are Aperture's. */
export const info = z.object({
  network: z.string(),
  listen_addr: z.string(),
  insecure: z.boolean(),
  mpp_enabled: z.boolean(),
  sessions_enabled: z.boolean(),
  mpp_realm: z.string(),
  version: z.string(),
  uptime_seconds: z.int(),
  sandbox: z.boolean(),
  relay_enabled: z.boolean(),
})

/** A method that a session needs. */
export const permission = z.object({
  method: z.string(),
  purpose: z.enum(['sell', 'pay']),
  /** Absent when the node does not say. */
  allowed: z.boolean().optional(),
})

/** A node that is paid. */
export const node = z.object({
  name: z.string(),
  kind: z.enum(['lnc', 'lnd']),
  state: z.enum(['ready', 'connecting', 'away']),
  /** Why there is no connection; empty when there is one. */
  reason: z.string(),
  alias: z.string(),
  pubkey: z.string(),
  network: z.string(),
  /** Named by the configuration; such a node cannot be removed here. */
  configured: z.boolean(),
  /** Invoices made ahead. */
  pooled: z.int(),
  subscribed: z.boolean(),
})

/** Words to pair by. */
export const pairNode = z.strictObject({
  phrase: z.string(),
  mailbox: z.string().default(''),
  name: z.string().default(''),
  insecure_tls: z.boolean().default(false),
})

/** A node that was paired, or asked just now. */
export const nodeReport = z.object({
  name: z.string(),
  alias: z.string(),
  pubkey: z.string(),
  network: z.string(),
  mailbox: z.string(),
  /** When the session ends; empty when it says nothing. */
  expires_at: z.union([time, z.literal('')]),
  permissions: z.array(permission),
  /** What to type for a session that may do all that is needed; empty when nothing is missing. */
  advice: z.string(),
  /** Round trip of a call; 0 when none was made. */
  latency_ms: z.number(),
  /** What its channels can take in; empty when the session may not ask. */
  receivable_msat: z.union([int64, z.literal('')]),
})

/** The relay, without a word of what passes through it. */
export const relay = z.object({
  enabled: z.boolean(),
  boxes: z.int(),
  streams: z.int(),
  messages_per_second: z.number(),
  bytes_per_second: z.number(),
  /** Refusals since the start, by reason. */
  refusals: z.record(z.string(), z.int()),
  /** What to type beside litd for a session through this relay. */
  litd_command: z.string(),
})

/** Invoices made ahead, of one node and price. */
export const pooledPrice = z.object({
  node: z.string(),
  price_msat: int64,
  ready: z.int(),
  target: z.int(),
})

/** Who has how many unpaid invoices. */
export const allowances = z.object({
  per_ms: z.int(),
  per_address: z.int(),
  per_service: z.int(),
  total: z.int(),
  used_total: z.int(),
  services: z.array(z.object({ service_name: z.string(), used: z.int() })),
})

/** What the doctor found. */
export const finding = z.object({
  check: z.string(),
  level: z.enum(['ok', 'warning', 'error', 'skipped']),
  /** What is so. */
  text: z.string(),
  /** What to do about it; empty for nothing. */
  advice: z.string(),
})

/** One line of the log. Secrets are taken out before it is kept. */
export const logLine = z.object({
  at: time,
  level: z.enum(['debug', 'info', 'warn', 'error']),
  part: z.string(),
  text: z.string(),
  fields: z.record(z.string(), z.unknown()),
})

/** Something that just happened. Of sales and uses at most 50 of a kind come in a second. */
export const hubEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('offered'), at: time, service_name: z.string(), price_msat: int64 }),
  z.object({
    type: z.literal('settled'),
    at: time,
    service_name: z.string(),
    price_msat: int64,
    token_id: z.string(),
  }),
  z.object({ type: z.literal('used'), at: time, service_name: z.string() }),
  z.object({
    type: z.literal('node'),
    at: time,
    name: z.string(),
    state: z.string(),
    reason: z.string(),
  }),
  z.object({
    type: z.literal('pairing'),
    at: time,
    name: z.string(),
    stage: z.string(),
    reason: z.string(),
  }),
  z.object({ type: z.literal('services'), at: time }),
])
