/** How a command reaches a running hub: where it listens, what certificate it has, and by which macaroon. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { Command } from 'commander'
import type { AdminClient } from '../admin/client.ts'
import { type ErrorCode, PinholeError } from '../base/errors.ts'
import { basedirOf, command } from './command.ts'
import type { HubOptions } from './open-rows.ts'
import type { Output } from './output.ts'
import { showProgress } from './progress.ts'

/** Options that say which running hub is meant, and as whom to come. */
export interface ReachOptions extends HubOptions {
  /** Address; that of the configuration by default. */
  readonly hub?: string
  /** File or hex. */
  readonly macaroon?: string
  /** File of the certificate to trust. */
  readonly tlsCert?: string
}

/** A hub, and what to call it by. */
export interface ReachedHub {
  /** Origin, such as `https://localhost:8081`. */
  readonly url: string
  readonly client: AdminClient
}

/** A command that is carried out by a running hub. */
export const hubCommand = (name: string, summary: string): Command =>
  command(name, summary)
    .option('--hub <url>', 'address of the hub (listenaddr of the configuration)')
    .option('--macaroon <file|hex>', 'as whom (admin.macaroon in the base folder)')
    .option('--tls-cert <file>', 'certificate to trust (tls.cert in the base folder)')
    .option('--configfile <file>', 'configuration of the hub')

/**
 * Finds the hub: `--hub`, else `$PINHOLE_HUB`, else the configuration's `admin.listenaddr` or `listenaddr`. Sends nothing.
 *
 * @throws ERR_CLI_USAGE for what is no address, ERR_ADMIN_MACAROON without a macaroon, ERR_HUB_CERTIFICATE for a
 * certificate file that cannot be read, and what `loadConfig` throws
 */
export async function reachHub(
  options: ReachOptions,
  output: Output,
  { anonymous = false }: { readonly anonymous?: boolean } = {},
): Promise<ReachedHub> {
  const place = await placeOf(options)
  const { url } = place
  const macaroon = anonymous ? undefined : macaroonOf(options, place)
  if (macaroon !== undefined && url.protocol === 'http:' && !isLoopback(url)) {
    output.stderr.write(`The macaroon goes to ${url.host} in cleartext; https would hide it.\n`)
  }
  const { createAdminClient } = await import('../admin/client.ts')
  const client = createAdminClient(url, macaroon, { ca: certificateOf(options, place) })
  return { url: url.origin, client }
}

/** Asks the hub; says on a terminal what is waited for. */
export async function askHub<T>(
  options: ReachOptions,
  output: Output,
  ask: (client: AdminClient, url: string) => Promise<T>,
): Promise<T> {
  const { client, url } = await reachHub(options, output)
  const progress = showProgress(`Asking the hub at ${url}`, output, options.json ?? false)
  try {
    return await ask(client, url)
  } finally {
    progress.end()
  }
}

/**
 * The macaroon to come with, in hex; for what is done without the hub.
 *
 * @throws ERR_ADMIN_MACAROON without one
 */
export const ownMacaroon = async (options: ReachOptions): Promise<string> =>
  macaroonOf(options, await placeOf(options))

interface HubPlace {
  readonly url: URL
  readonly macaroonFile: string
  /** Where the hub keeps its own certificate; nothing for a hub elsewhere, which the system has to know. */
  readonly certificate: string | undefined
}

async function placeOf(options: ReachOptions): Promise<HubPlace> {
  const named = options.hub ?? process.env['PINHOLE_HUB'] ?? ''
  if (named !== '') {
    const url = urlOf(named)
    const basedir = basedirOf(options)
    const certificate = isLoopback(url) ? path.join(basedir, 'tls.cert') : undefined
    return { url, macaroonFile: path.join(basedir, 'admin.macaroon'), certificate }
  }
  const { loadConfig } = await import('../config/load.ts')
  const { parseAddress, formatAddress } = await import('../config/address.ts')
  const { basedir, configfile } = options
  const config = loadConfig({ basedir, configfile })
  const listenaddr = config.admin.listenaddr || config.listenaddr
  const { host, port } = parseAddress(listenaddr) ?? { host: undefined, port: 0 }
  if (port === 0) {
    const text = `listenaddr is ${listenaddr}, which says no port: name the hub by --hub`
    throw new PinholeError('ERR_CLI_USAGE', text)
  }
  const everywhere = host === undefined || host === '0.0.0.0' || host === '::'
  const address = formatAddress(everywhere ? 'localhost' : host, port)
  return {
    url: new URL(`${config.insecure ? 'http' : 'https'}://${address}`),
    macaroonFile: config.admin.macaroonpath,
    certificate: path.join(config.basedir, 'tls.cert'),
  }
}

function urlOf(named: string): URL {
  const text = named.includes('://') ? named : `https://${named}`
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url && (url.protocol === 'https:' || url.protocol === 'http:')) return url
  throw new PinholeError('ERR_CLI_USAGE', `--hub must be like https://localhost:8081, not ${named}`)
}

const isLoopback = ({ hostname }: URL): boolean =>
  /^(?:(?:.*\.)?localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname)

function macaroonOf({ macaroon }: ReachOptions, { macaroonFile }: HubPlace): string {
  const given = macaroon ?? process.env['PINHOLE_MACAROON'] ?? ''
  if (isHex(given)) return given
  const file = given === '' ? macaroonFile : given
  const advice = given === '' ? '; a hub makes it when it starts with admin.enabled: true' : ''
  const bytes = readOrThrow(file, 'ERR_ADMIN_MACAROON', advice)
  // One that was baked may have been kept the way it was printed.
  const text = bytes.toString('latin1').trim()
  return isHex(text) ? text : bytes.toString('hex')
}

const isHex = (text: string): boolean => /^(?:[0-9a-f]{2}){16,}$/i.test(text)

function certificateOf({ tlsCert }: ReachOptions, { url, certificate }: HubPlace) {
  if (url.protocol === 'http:') return undefined
  if (tlsCert !== undefined) return readOrThrow(tlsCert, 'ERR_HUB_CERTIFICATE').toString()
  try {
    return certificate === undefined ? undefined : readFileSync(certificate, 'utf8')
  } catch {
    // A hub that made none has one that the system knows, or the call says what is wrong.
    return undefined
  }
}

function readOrThrow(file: string, code: ErrorCode, advice = ''): Buffer {
  try {
    return readFileSync(file)
  } catch (cause) {
    const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'
    const text = missing ? `there is no ${file}${advice}` : `${file} cannot be read`
    throw new PinholeError(code, text, { cause })
  }
}
