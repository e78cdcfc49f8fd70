/** Services: Aperture's eight fields under its names, and the rest of an entry of `services`. */
import { z } from 'zod'
import { flag, int64, shaped, time } from './values.ts'

/** `AUTH_SCHEME_L402` unless said otherwise. */
export const authScheme = z.enum(['AUTH_SCHEME_L402', 'AUTH_SCHEME_MPP', 'AUTH_SCHEME_L402_MPP'])

const rateLimit = z.strictObject({
  path_regexp: z.string().default('').describe('RE2 over the decoded path; empty is any'),
  requests: z.int().min(1).describe('so many requests of a client'),
  per_ms: z.int().min(1).describe('in so many milliseconds'),
  burst: z.int().min(0).default(0).describe('at once; 0 is as many as requests'),
})

const timeouts = z.strictObject({
  connect_ms: z.int().min(0).describe('milliseconds to connect; 0 is without a limit'),
  header_ms: z.int().min(0).describe('milliseconds until it answers'),
  body_ms: z.int().min(0).describe('longest silence within a body, in milliseconds'),
  idle_ms: z.int().min(0).describe('milliseconds for which an unused connection is kept'),
})

const dynamicPrice = z.strictObject({
  enabled: z.boolean().describe('ask a price service for each request'),
  grpc_address: z.string().describe('host:port of that service'),
  insecure: z.boolean().describe('speak cleartext to it'),
  tls_cert_path: z.string().describe('file at the hub: certificate to trust there'),
  metered: z.boolean().describe('tell it what was used'),
  usage_tail_bytes: z.int().min(0).describe('bytes at the end of an answer that it is shown'),
})

/** `http`, `https` or `h2c`; empty leaves it. */
export const protocol = shaped('^(https?|h2c)?$')

/** Everything of a service but its name. */
const fields = {
  address: z.string().describe('host:port of the API that is sold, or unix: and a path'),
  protocol: protocol.describe('spoken there: http, https or h2c'),
  host_regexp: z.string().describe('RE2 over the Host header; .* is any'),
  path_regexp: z.string().describe('RE2 over the path, such as ^/api/.*$; .* is any'),
  price: int64.describe('satoshis for a token, at least 1'),
  auth: shaped(
    '^([oO][nN]|[oO][fF][fF]|[tT][rR][uU][eE]|[fF][aA][lL][sS][eE]|freebie 0*[1-9][0-9]{0,8})?$',
  ).describe('on, off (free) or "freebie N" (so many requests of a client are free)'),
  auth_scheme: authScheme.describe('how payment is asked for; AUTH_SCHEME_L402 by default'),
  timeout: z.int().min(0).describe('seconds that a token is good for; 0 is for ever'),
  capabilities: z.string().describe('what a token allows, separated by commas, kept in it'),
  constraints: z.record(z.string(), z.string()).describe('kept in a token, by name'),
  /** Values are never given back: they read `HIDDEN`, and `HIDDEN` sent leaves them as they are. */
  headers: z.record(z.string(), z.string()).describe('sent to the upstream, by name'),
  auth_whitelist_paths: z.array(z.string()).describe('RE2 over paths that are free'),
  auth_skip_invoice_creation_paths: z
    .array(z.string())
    .describe('RE2 over paths that get a 401 and no invoice'),
  rate_limits: z.array(rateLimit).describe('all of them hold'),
  rewrite_prefix: z.string().describe('put before the path at the upstream'),
  node: z.string().describe("name of the node that is paid; empty is the hub's first"),
  forward_credential: z.boolean().describe('show the credential to the upstream'),
  forward_options: z.boolean().describe('send OPTIONS to the upstream'),
  tls_cert_path: z.string().describe('file at the hub: certificate of the upstream to trust'),
  tls_insecure: z.boolean().describe('trust any certificate of the upstream'),
  timeouts: timeouts.describe('of the upstream; given as a whole'),
  dynamic_price: dynamicPrice.describe('given as a whole'),
}

/** All of them, as they are kept in the database. */
export const serviceFields = z.strictObject(fields)

/** What stands for a header's value that is not shown. */
export const HIDDEN = '(hidden)'

/** A service as it is given back. */
export const service = z.object({
  name: z.string(),
  ...fields,
  /** Where it comes from: the configuration's file, the database (made or changed by this API), an import. */
  source: z.enum(['config', 'database', 'import']),
  /** When this API last changed it; empty for never. */
  updated_at: z.union([time, z.literal('')]),
})

const optional = serviceFields.partial().shape

/** A new service; what is left out has the default of the configuration's key. */
export const createService = z.strictObject({
  name: z.string().default(''),
  ...optional,
  dry_run: flag.optional(),
})

/** Changes: what is left out stays. */
export const updateService = z.strictObject({
  name: z.string().default(''),
  ...optional,
  dry_run: flag.optional(),
})

/** One price that a service had. */
export const priceChange = z.object({
  /** Satoshis. */
  price: int64,
  since: time,
  /** What set it: `config`, `admin` or `import`. */
  by: z.string(),
})
