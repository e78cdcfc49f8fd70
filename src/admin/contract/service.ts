/** Services: Aperture's eight fields under its names, and the rest of an entry of `services`. */
import { z } from 'zod'
import { flag, int64, shaped, time } from './values.ts'

/** `AUTH_SCHEME_L402` unless said otherwise. */
export const authScheme = z.enum(['AUTH_SCHEME_L402', 'AUTH_SCHEME_MPP', 'AUTH_SCHEME_L402_MPP'])

const rateLimit = z.strictObject({
  /** RE2 over the decoded path; empty is any. */
  path_regexp: z.string().default(''),
  requests: z.int().min(1),
  per_ms: z.int().min(1),
  /** 0 is as many as `requests`. */
  burst: z.int().min(0).default(0),
})

const timeouts = z.strictObject({
  connect_ms: z.int().min(0),
  header_ms: z.int().min(0),
  body_ms: z.int().min(0),
  idle_ms: z.int().min(0),
})

const dynamicPrice = z.strictObject({
  enabled: z.boolean(),
  grpc_address: z.string(),
  insecure: z.boolean(),
  tls_cert_path: z.string(),
  metered: z.boolean(),
  usage_tail_bytes: z.int().min(0),
})

/** `http`, `https` or `h2c`; empty leaves it. */
export const protocol = shaped('^(https?|h2c)?$')

/** Everything of a service but its name. */
const fields = {
  /** `host:port`, or `unix:` and a path. */
  address: z.string(),
  protocol,
  host_regexp: z.string(),
  path_regexp: z.string(),
  /** Satoshis. */
  price: int64,
  /** `on`, `off` or `freebie N`. */
  auth: shaped(
    '^([oO][nN]|[oO][fF][fF]|[tT][rR][uU][eE]|[fF][aA][lL][sS][eE]|freebie 0*[1-9][0-9]{0,8})?$',
  ),
  auth_scheme: authScheme,
  /** Seconds that a token is good for; 0 is for ever. */
  timeout: z.int().min(0),
  capabilities: z.string(),
  constraints: z.record(z.string(), z.string()),
  /** Values are never given back: they read `HIDDEN`, and `HIDDEN` sent leaves them as they are. */
  headers: z.record(z.string(), z.string()),
  auth_whitelist_paths: z.array(z.string()),
  auth_skip_invoice_creation_paths: z.array(z.string()),
  rate_limits: z.array(rateLimit),
  rewrite_prefix: z.string(),
  /** Name of the node that is paid; empty is the hub's first. */
  node: z.string(),
  forward_credential: z.boolean(),
  forward_options: z.boolean(),
  tls_cert_path: z.string(),
  tls_insecure: z.boolean(),
  timeouts,
  dynamic_price: dynamicPrice,
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
