/**
 * Every error that Pinhole itself raises, in one table: HTTP status, gRPC code and what to do about it.
 * `docs/errors.md` has a section for each code; `test/base/errors.test.ts` holds the two together.
 * A retired code is never used again.
 */

/** gRPC status codes by name (google.rpc.Code). */
export const GrpcCode = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  outOfRange: 11,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  dataLoss: 15,
  unauthenticated: 16,
} as const

interface ErrorKind {
  readonly status: number
  readonly grpc: number
  readonly advice: string
}

const kind = (status: number, grpc: number, advice: string): ErrorKind => ({ status, grpc, advice })

const g = GrpcCode

// prettier-ignore
const TABLE = {
  // The pairing phrase, before anything is sent.
  ERR_PHRASE_WORD_COUNT: kind(400, g.invalidArgument, 'Give the ten words of the pairing phrase, in order, separated by blanks.'),
  ERR_PHRASE_UNKNOWN_WORD: kind(400, g.invalidArgument, 'Check that word against the phrase as your node showed it.'),

  // The session between two paired ends.
  ERR_SESSION_NOT_FOUND: kind(404, g.notFound, 'The phrase is unknown at this relay or another client has used it: check the relay address, or create a new session on the node and pair with its phrase.'),
  ERR_SESSION_EXPIRED: kind(410, g.failedPrecondition, 'The session has expired or was revoked: create a new session on the node and pair again.'),
  ERR_SESSION_IN_USE: kind(409, g.unavailable, 'Another connection uses this session: close it, or create a session for each client.'),
  ERR_SESSION_CLOSED: kind(503, g.unavailable, 'The connection was closed: connect again.'),
  ERR_SESSION_KEYS: kind(400, g.invalidArgument, 'Give the keys that an earlier pairing stored: a 32-byte local key and a 33-byte remote key.'),
  ERR_SESSION_RECORD: kind(400, g.invalidArgument, 'Copy the whole text that lnc-web keeps in localStorage, and give the password that it was stored with.'),
  ERR_SESSION_STORE: kind(500, g.internal, 'The pairing could not be kept: make the store writable and connect again with the same phrase.'),

  // The node at the other end.
  ERR_NODE_OFFLINE: kind(503, g.unavailable, 'Act on the reason given: see that the node (litd, pinhole agent or lnd) runs, is unlocked and online, and that its session has neither expired nor been revoked.'),
  ERR_NODE_PERMISSION: kind(403, g.permissionDenied, 'The session lacks that permission: create one whose macaroon allows the method named above.'),
  ERR_NODE_NETWORK: kind(502, g.failedPrecondition, 'Correct authenticator.network and restart the hub, or connect a node of that network.'),
  ERR_NODE_CALL: kind(502, g.unknown, 'The node refused the call for the reason given.'),
  ERR_NODE_TIMEOUT: kind(504, g.deadlineExceeded, 'The node did not answer in time: check its load and the connection to the relay.'),
  ERR_NODE_DESCRIPTOR: kind(501, g.unimplemented, 'Pass a registry with the descriptors of that service, or call it in bytes by rpc.unary.'),
  ERR_NODE_MESSAGE_SIZE: kind(502, g.resourceExhausted, 'Ask the node for less at once, or raise the limit named above.'),

  // The way to the relay.
  ERR_RELAY_UNREACHABLE: kind(503, g.unavailable, 'Check the mailbox address, its port and your network.'),
  ERR_RELAY_CERTIFICATE: kind(502, g.unavailable, 'Use a certificate that your system trusts, or insecureTls (--insecure-tls) for a relay of your own with a self-signed one.'),
  ERR_RELAY_REFUSED: kind(502, g.unavailable, 'The server at that address does not speak hashmail or refuses this client: check the address and what stands in front of the relay.'),
  ERR_RELAY_ADDRESS: kind(400, g.invalidArgument, 'Give the mailbox as host:port.'),

  // Layers of the connection.
  ERR_LINK_CLOSED: kind(503, g.unavailable, 'The connection was closed: connect again.'),
  ERR_LINK_MESSAGE_SIZE: kind(500, g.resourceExhausted, 'Send less at once.'),
  ERR_GBN_PACKET: kind(502, g.internal, 'The peer sent a packet that is not Go-Back-N: check that both ends speak LNC.'),
  ERR_GBN_HANDSHAKE: kind(504, g.unavailable, 'The peer did not answer: check that it is online and uses the same relay.'),
  ERR_GBN_SILENT: kind(504, g.unavailable, 'The peer stopped answering: check its network; a new connection is made by itself.'),
  ERR_MESSAGE_FRAME: kind(502, g.internal, 'The peer sent a broken frame: check that both ends speak LNC.'),
  ERR_NOISE_VERSION: kind(502, g.failedPrecondition, 'Update the other end; allow older handshake versions only if you trust the relay.'),
  ERR_NOISE_ACT: kind(502, g.internal, 'The peer sent a broken handshake message: check that both ends speak LNC.'),
  ERR_NOISE_DECRYPT: kind(502, g.unauthenticated, 'The two ends do not share the same phrase or keys: pair again.'),
  ERR_NOISE_TIMEOUT: kind(504, g.deadlineExceeded, 'The peer stopped in the middle of the handshake: connect again.'),
  ERR_NOISE_AUTH_DATA: kind(502, g.internal, 'The node sent no usable macaroon: create a new session on it.'),
  ERR_NOISE_RECORD: kind(502, g.internal, 'The connection was disturbed and has been closed; a new one is made by itself.'),
  ERR_HTTP2_FRAME: kind(502, g.internal, 'The node sent HTTP/2 that cannot be read; the connection has been closed and a new one is made by itself.'),

  // The relay: texts are Aperture's, since clients match them (specs: hashmail error strings).
  ERR_BOX_EXISTS: kind(409, g.alreadyExists, 'The box is there already; use it.'),
  ERR_BOX_NOT_FOUND: kind(500, g.unknown, 'Create the box first (the node\'s end does).'),
  ERR_BOX_READ_OCCUPIED: kind(500, g.unknown, 'Another connection reads this box: close it first.'),
  ERR_BOX_WRITE_OCCUPIED: kind(500, g.unknown, 'Another connection writes to this box: close it first.'),
  ERR_BOX_CLOSED: kind(500, g.unknown, 'The box was deleted while in use: create it again.'),
  ERR_BOX_REQUEST: kind(500, g.unknown, 'Send the fields that the hashmail protocol asks for.'),
  ERR_BOX_MESSAGE_SIZE: kind(429, g.resourceExhausted, 'Send smaller messages, or raise hashmail.maxmessagebytes.'),
  ERR_BOX_LIMIT: kind(429, g.resourceExhausted, 'This relay holds as much as it is allowed to: delete unused boxes, try later, or raise the limit named above.'),
  ERR_RELAY_JSON: kind(400, g.invalidArgument, 'Send protobuf JSON of the hashmail message.'),
  ERR_RELAY_TIMEOUT: kind(504, g.deadlineExceeded, 'Send what is to be sent as soon as the stream is open, or allow more time.'),
  ERR_RELAY_CLOSING: kind(503, g.unavailable, 'The relay is restarting: connect again.'),

  // The paywall.
  ERR_REQUEST_PATH: kind(400, g.invalidArgument, 'Send the path without dot segments, encoded slashes or bytes that are no UTF-8.'),
  ERR_INVOICE_UNAVAILABLE: kind(503, g.unavailable, 'No node can make an invoice at the moment: come back after the time in Retry-After.'),
  ERR_INVOICE_ALLOWANCE: kind(429, g.resourceExhausted, 'Pay one of the invoices that you were given, or come back after the time in Retry-After.'),
  ERR_UPSTREAM_UNREACHABLE: kind(502, g.unavailable, 'The service behind this paywall cannot be reached: check that it runs, and the address of the service in the configuration.'),
  ERR_UPSTREAM_CERTIFICATE: kind(502, g.unavailable, 'Trust the certificate of the service by its tlscertpath, or set tlsinsecure for one of your own.'),
  ERR_UPSTREAM_TIMEOUT: kind(504, g.deadlineExceeded, 'The service behind this paywall did not answer in time: check its load, or raise its timeouts.'),
  ERR_UPSTREAM_RESPONSE: kind(502, g.unavailable, 'The service behind this paywall answered what cannot be passed on: check its log.'),

  // Paying.
  ERR_L402_CHALLENGE: kind(502, g.internal, 'The server sent a challenge that cannot be read: tell its operator.'),
  ERR_L402_MACAROON: kind(400, g.invalidArgument, 'Give a macaroon in libmacaroons\' binary format, whole.'),
  ERR_BOLT11_INVOICE: kind(400, g.invalidArgument, 'Give a BOLT 11 invoice, whole.'),
  ERR_SERVER_UNREACHABLE: kind(502, g.unavailable, 'Check the address, that the server runs, and your network.'),
  ERR_PAYMENT_LIMIT: kind(402, g.failedPrecondition, 'Raise the limit (--max-sats), if the answer is worth that to you.'),
  ERR_PAYMENT_FAILED: kind(502, g.failedPrecondition, 'The node could not pay: check its channels and balance, then try again.'),
  ERR_PAYMENT_PENDING: kind(504, g.unavailable, 'The payment is still under way: run the same command again, it is not paid twice.'),
  ERR_PAYMENT_REFUSED: kind(402, g.failedPrecondition, 'The server wants another payment although this one was made: tell its operator.'),
  ERR_PAYMENT_REPLAY: kind(402, g.failedPrecondition, 'Buy the token with a request that has a small body first, or raise maxReplayBytes.'),
  ERR_PAYMENT_STORE: kind(500, g.internal, 'Make the folder of paid tokens readable and writable for this user.'),

  // Nodes and what is stored.
  ERR_NODE_UNKNOWN: kind(404, g.notFound, 'See pinhole node list for the nodes that are paired.'),
  ERR_NODE_EXISTS: kind(409, g.alreadyExists, 'Choose another --name, or remove that node first.'),
  ERR_NODE_SECRET: kind(500, g.failedPrecondition, 'Give the PINHOLE_SECRET or the key file that the nodes were stored with. If it is lost, remove the node (pinhole node remove) and pair it anew; sold tokens are not under it.'),
  ERR_STORE_OPEN: kind(500, g.failedPrecondition, 'Make the database readable and writable for this user and room on its disk, put a backup in the place of a damaged one, or name another by sqlite.databasefilename.'),
  ERR_STORE_IN_USE: kind(500, g.failedPrecondition, 'Stop the other hub, or give this one a base folder of its own by --basedir. Removing the file .lock does not end that hub.'),
  ERR_STORE_UNAVAILABLE: kind(503, g.unavailable, 'Keep the token that you have, and come back after the time in Retry-After.'),
  ERR_STORE_SCHEMA: kind(500, g.failedPrecondition, 'Start the version of Pinhole that wrote the database, or a newer one.'),
  ERR_STORE_IMPORT: kind(400, g.failedPrecondition, 'Name the aperture.db of an Aperture that is stopped.'),

  // Running a hub.
  ERR_CONFIG_FILE: kind(500, g.failedPrecondition, 'Name an existing, readable file with --configfile.'),
  ERR_CONFIG_SYNTAX: kind(500, g.failedPrecondition, 'Mend the YAML at the place named above.'),
  ERR_CONFIG_KEY: kind(500, g.failedPrecondition, 'Remove the key or correct its spelling; sample-conf.yaml names every key.'),
  ERR_CONFIG_VALUE: kind(500, g.failedPrecondition, 'Correct the value; sample-conf.yaml says what is valid.'),
  ERR_LISTEN_ADDRESS: kind(500, g.failedPrecondition, 'Free the port or choose another listenaddr.'),
  ERR_LISTEN_CERTIFICATE: kind(500, g.failedPrecondition, 'Make tls.cert and tls.key a readable pair, or remove both to have them made anew.'),
  ERR_SANDBOX_CONFIG: kind(409, g.failedPrecondition, 'Run pinhole start for the hub that is configured, or give the sandbox an empty folder by --basedir.'),
  ERR_SANDBOX_NODE: kind(409, g.failedPrecondition, 'Start the hub without --sandbox to pair nodes of your own: pinhole init, then pinhole start.'),
  ERR_CLI_USAGE: kind(400, g.invalidArgument, 'See pinhole --help.'),
  ERR_AGENT_LND: kind(503, g.unavailable, 'Check --lnd, --tls and --macaroon (lndhost, tlspath and macdir in the configuration), and that lnd is running and unlocked.'),
  ERR_AGENT_FILE: kind(500, g.failedPrecondition, 'Name a file that exists, that this user may read, and that holds what lnd keeps there.'),

  // Operating a hub by its admin API.
  ERR_HUB_UNREACHABLE: kind(503, g.unavailable, 'Start the hub (pinhole start), or name the one that runs by --hub.'),
  ERR_HUB_CERTIFICATE: kind(502, g.unavailable, 'Give the tls.cert of that hub by --tls-cert (ca in a program).'),
  ERR_HUB_ANSWER: kind(502, g.internal, 'Check that a Pinhole of this version listens at that address, and nothing in front of it changes its answers.'),
  ERR_ADMIN_OFF: kind(404, g.unimplemented, 'Set admin.enabled: true in the configuration of the hub and start it again.'),
  ERR_ADMIN_MACAROON: kind(401, g.unauthenticated, 'Give the admin.macaroon of that hub, or one that was baked of it and is still good, by --macaroon.'),
  ERR_ADMIN_SCOPE: kind(403, g.permissionDenied, 'Use a macaroon that allows it: pinhole admin bake --scope, with the scope named above.'),
  ERR_ADMIN_REQUEST: kind(400, g.invalidArgument, 'Correct the value named above.'),
  ERR_ADMIN_NOT_FOUND: kind(404, g.notFound, 'List what there is, and check the name.'),
  ERR_ADMIN_EXISTS: kind(409, g.alreadyExists, 'Change the one that exists, or choose another name.'),
  ERR_ADMIN_ATTEMPTS: kind(429, g.resourceExhausted, 'Check the macaroon, and come back after the time in Retry-After.'),
  ERR_ADMIN_METHOD: kind(405, g.unimplemented, 'Use a method that the OpenAPI document names for the path.'),
  ERR_ADMIN_OPERATION: kind(501, g.unimplemented, 'Use a hub that has what the operation is about.'),
  ERR_ADMIN_LOGIN: kind(401, g.unauthenticated, 'Have a new link made (pinhole admin login) and open it within five minutes.'),
  ERR_ADMIN_ORIGIN: kind(403, g.permissionDenied, 'Use the console at /_pinhole/ of the hub; programs and other pages show a macaroon.'),
  ERR_ADMIN_CLEARTEXT: kind(403, g.permissionDenied, 'Open the console by https, or on the machine of the hub (or through a tunnel to it) at localhost.'),
  ERR_ADMIN_KEY: kind(500, g.failedPrecondition, 'Make admin.macaroon and its admin.rootkey readable for this user, or remove both to have them made anew.'),
} as const satisfies Record<string, ErrorKind>

/** Closed union of all error codes, `ERR_<AREA>_<WHAT>`. */
export type ErrorCode = keyof typeof TABLE

/** Every code, for tests and documentation. */
export const ERROR_CODES = Object.keys(TABLE) as readonly ErrorCode[]

/** What more an error can carry. */
export interface ErrorOptionsWithStatus {
  /** The error that caused this one, kept for logs. */
  readonly cause?: unknown
  /** A gRPC code other than the table's: the node's own, of a refused call. */
  readonly grpc?: number
  /** When to come back, in milliseconds. */
  readonly retryAfterMs?: number | undefined
}

/** The one error class. `message` says what is wrong and where, `advice` what to do. */
export class PinholeError extends Error {
  override readonly name = 'PinholeError'
  readonly code: ErrorCode
  /** HTTP status that stands for this error. */
  readonly status: number
  /** gRPC code that stands for this error. */
  readonly grpc: number
  /** One sentence that says what to do. */
  readonly advice: string
  /** When to come back, in milliseconds, where that is known. */
  readonly retryAfterMs: number | undefined

  constructor(code: ErrorCode, message: string, options: ErrorOptionsWithStatus = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause })
    const { status, grpc, advice } = TABLE[code]
    this.code = code
    this.status = status
    this.grpc = options.grpc ?? grpc
    this.advice = advice
    this.retryAfterMs = options.retryAfterMs
  }

  /** Where the error is explained at length. */
  get docs(): string {
    return `docs/errors.md#${this.code.toLowerCase()}`
  }

  /** RFC 9457 body. */
  toProblemDetails(): {
    type: string
    title: string
    status: number
    detail: string
    code: ErrorCode
  } {
    return {
      type: this.docs,
      title: this.message,
      status: this.status,
      detail: this.advice,
      code: this.code,
    }
  }
}

/** Whether `reason` is a `PinholeError`, of one of `codes` when some are given. */
export function isPinholeError(
  reason: unknown,
  ...codes: readonly ErrorCode[]
): reason is PinholeError {
  return reason instanceof PinholeError && (codes.length === 0 || codes.includes(reason.code))
}

/** `reason` as a `PinholeError`: itself when it is one, else wrapped as `code` with its message. */
export function asPinholeError(reason: unknown, code: ErrorCode): PinholeError {
  if (reason instanceof PinholeError) return reason
  return new PinholeError(code, reason instanceof Error ? reason.message : String(reason), {
    cause: reason,
  })
}
