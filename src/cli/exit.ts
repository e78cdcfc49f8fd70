import type { ErrorCode } from '../base/errors.ts'

/** What the process ends with. */
export const Exit = {
  ok: 0,
  general: 1,
  usage: 2,
  connection: 3,
  auth: 4,
  notFound: 5,
  dryRun: 10,
} as const

/** One of the codes above. */
export type ExitCode = (typeof Exit)[keyof typeof Exit]

// prettier-ignore
const BY_CODE: Partial<Record<ErrorCode, ExitCode>> = {
  ERR_CLI_USAGE: Exit.usage,
  ERR_PHRASE_WORD_COUNT: Exit.usage,
  ERR_PHRASE_UNKNOWN_WORD: Exit.usage,
  ERR_RELAY_ADDRESS: Exit.usage,
  ERR_SESSION_NOT_FOUND: Exit.notFound,
  ERR_SESSION_EXPIRED: Exit.auth,
  ERR_SESSION_IN_USE: Exit.connection,
  ERR_SESSION_CLOSED: Exit.connection,
  ERR_NODE_OFFLINE: Exit.connection,
  ERR_NODE_PERMISSION: Exit.auth,
  ERR_NODE_TIMEOUT: Exit.connection,
  ERR_RELAY_UNREACHABLE: Exit.connection,
  ERR_RELAY_CERTIFICATE: Exit.connection,
  ERR_RELAY_REFUSED: Exit.connection,
  ERR_LINK_CLOSED: Exit.connection,
  ERR_GBN_HANDSHAKE: Exit.connection,
  ERR_GBN_SILENT: Exit.connection,
  ERR_NOISE_DECRYPT: Exit.auth,
  ERR_NOISE_TIMEOUT: Exit.connection,
  ERR_AGENT_LND: Exit.connection,
  ERR_SERVER_UNREACHABLE: Exit.connection,
  ERR_PAYMENT_LIMIT: Exit.auth,
  ERR_PAYMENT_PENDING: Exit.connection,
  ERR_NODE_UNKNOWN: Exit.notFound,
  ERR_NODE_SECRET: Exit.auth,
  ERR_HUB_UNREACHABLE: Exit.connection,
  ERR_HUB_CERTIFICATE: Exit.connection,
  ERR_HUB_ANSWER: Exit.connection,
  ERR_ADMIN_OFF: Exit.connection,
  ERR_ADMIN_MACAROON: Exit.auth,
  ERR_ADMIN_SCOPE: Exit.auth,
  ERR_ADMIN_REQUEST: Exit.usage,
  ERR_ADMIN_NOT_FOUND: Exit.notFound,
}

/** Exit code that stands for an error. */
export const exitCodeOf = (code: ErrorCode): ExitCode => BY_CODE[code] ?? Exit.general
