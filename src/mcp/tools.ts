/** Every tool: Aperture's ten by its names and arguments, then those for nodes, prices, stock and health. */
import { z } from 'zod'
import { operations } from '../admin/contract.ts'
import { int64 } from '../admin/contract/values.ts'
import { type Tool, tool } from './tool.ts'

const nothing = z.strictObject({})
const name = z.string().describe('name of the service')
const dryRun = z.boolean().optional().describe('check and show what would be, changing nothing')
const price = int64.describe('satoshis for a token, at least 1')
const limit = z.int().min(0).max(1_000).default(0).describe('at most so many; 0 is 50')
const offset = z.int().min(0).default(0).describe('leave out so many, from the newest')
const from = z
  .string()
  .default('')
  .describe('such as 2026-01-31T12:00:00Z (RFC 3339); give from and to, or neither')
const to = z.string().default('').describe('RFC 3339, like from')

const none = () => ({})
const same = <T>(input: T): T => input

/** Headers are shown without their values. */
const HEADERS = 'Values of headers read (hidden); (hidden) sent back leaves them as they are.'

const APERTURE: readonly Tool[] = [
  tool('get_info', { operation: 'getInfo', input: nothing, request: none }),
  tool('get_health', { operation: 'getHealth', input: nothing, request: none }),
  tool('list_services', {
    operation: 'listServices',
    input: nothing,
    request: none,
    more: `Prices are in satoshis. ${HEADERS}`,
  }),
  tool('create_service', {
    operation: 'createService',
    input: operations.createService.request.extend({
      name,
      address: operations.createService.request.shape.address.unwrap(),
      price,
      dry_run: dryRun,
    }),
    request: same,
    more: 'Try it with dry_run first.',
  }),
  tool('update_service', {
    operation: 'updateService',
    input: operations.updateService.request.extend({ name, dry_run: dryRun }),
    request: same,
    more: `Try it with dry_run first. An empty address, protocol, pattern or auth stays as it is, too. ${HEADERS}`,
  }),
  tool('delete_service', {
    operation: 'deleteService',
    input: z.strictObject({ name, dry_run: dryRun }),
    request: same,
    destructive: true,
  }),
  tool('list_transactions', {
    operation: 'listTransactions',
    input: z.strictObject({
      service: z.string().default('').describe('name of a service'),
      state: z.enum(['', 'pending', 'settled']).default('').describe('empty is any'),
      from,
      to,
      limit,
      offset,
    }),
    request: ({ from: start_date, to: end_date, ...rest }) => ({ ...rest, start_date, end_date }),
    more: 'The dates are those of the payment.',
  }),
  tool('list_tokens', {
    operation: 'listTokens',
    input: z.strictObject({ limit, offset }),
    request: same,
  }),
  tool('revoke_token', {
    operation: 'revokeToken',
    input: z.strictObject({
      token_id: z.string().describe('64 hexadecimal digits, from list_tokens'),
      dry_run: dryRun,
    }),
    request: same,
    destructive: true,
  }),
  tool('get_stats', {
    operation: 'getStats',
    input: z.strictObject({ from, to }),
    request: same,
    more: 'Sums are in satoshis, of what was paid between the two times.',
  }),
]

const OURS: readonly Tool[] = [
  tool('get_service', {
    operation: 'getService',
    input: z.strictObject({ name }),
    request: same,
    more: HEADERS,
  }),
  tool('list_prices', {
    operation: 'listPrices',
    input: z.strictObject({ name }),
    request: same,
  }),
  tool('set_price', {
    operation: 'updateService',
    input: z.strictObject({ name, price, dry_run: dryRun }),
    request: same,
    summary: 'Changes the price of a service and nothing else',
    more: 'It holds from the next 402 on; tokens that were sold stay good.',
  }),
  tool('list_nodes', { operation: 'listNodes', input: nothing, request: none }),
  tool('test_node', {
    operation: 'testNode',
    input: z.strictObject({ name: z.string().describe('name of the node') }),
    request: same,
  }),
  tool('pair_node', {
    operation: 'pairNode',
    input: z.strictObject({
      phrase: z.string().describe('the ten words, in order; a secret'),
      mailbox: z.string().default('').describe('host:port of the relay; empty is the default'),
      name: z.string().default('').describe('what to call the node here'),
      insecure_tls: z.boolean().default(false).describe('take any certificate of the relay'),
    }),
    request: same,
    more: 'The answer lists what its session may do; advice says how to make one that may do more.',
  }),
  tool('list_pool', { operation: 'listPool', input: nothing, request: none }),
  tool('run_doctor', {
    operation: 'runDoctor',
    input: z.strictObject({
      reconcile: z.boolean().default(false).describe('compare the ledger with the nodes'),
    }),
    request: same,
    more: 'Start here when something does not work.',
  }),
]

/** All tools. */
export const TOOLS: readonly Tool[] = [...APERTURE, ...OURS]
