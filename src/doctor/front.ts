/** What stands in front of the hub: whether it passes on what the hub needs, asked through the public name. */
import { once } from 'node:events'
import { z } from 'zod'
import { openAdminKey, bakeAdminMacaroon } from '../admin/key-files.ts'
import { REST_PREFIX } from '../admin/contract.ts'
import {
  type Check,
  type DoctorDeps,
  fine,
  skipped,
  type Verdict,
  warning,
  wrong,
} from './check.ts'
import { begin, draw } from './probe.ts'

const HEALTH = '/_pinhole/health'
/** A credential with a few dozen caveats; nginx takes less than 8 KiB in one line unless told otherwise. */
const LARGE_HEADER_BYTES = 12_288
/** The hub writes the first event at once. */
const FIRST_BYTES_MS = 3_000
const MACAROON_MS = 60_000
/** Both answers are some milliseconds apart. */
const UPTIME_SLACK_SECONDS = 3

/** The check, by how long the first event of a stream may take, in milliseconds. */
export const frontCheckBy = (firstBytesMs: number): Check => ({
  name: 'front',
  limitMs: 15_000,
  async run(deps, signal) {
    const { address, outside: url } = deps
    if (address === undefined) return [skipped('no hub runs', 'Start it (pinhole start).')]
    if (!url) {
      return [
        skipped('no public name is configured', 'Set servername to the name that clients dial.'),
      ]
    }
    return look(deps, { own: new URL(address), url, firstBytesMs, signal })
  },
})

/** The check. */
export const frontCheck: Check = frontCheckBy(FIRST_BYTES_MS)

interface Place {
  readonly own: URL
  readonly url: URL
  readonly firstBytesMs: number
  readonly signal: AbortSignal
}

async function look(deps: DoctorDeps, place: Place): Promise<Verdict[]> {
  const { own, url, signal } = place
  let headers
  try {
    const [here, there] = await Promise.all([
      draw(new URL(HEALTH, own), { signal }),
      draw(new URL(HEALTH, url), { signal }),
    ])
    if (!isSameHub(here.body, there.body)) {
      const text = `${url.origin} is answered by somebody else (status ${there.status})`
      return [wrong(text, 'Let the name point here, and what stands in front pass all paths on.')]
    }
    headers = there.headers
  } catch (reason) {
    const why = reason instanceof Error ? reason.message : String(reason)
    const text = `${url.origin} cannot be reached from here: ${why}`
    const advice =
      'Check the name in the DNS, the firewall and the forwarding of the port; some routers lead nobody back from within.'
    return [warning(text, advice)]
  }
  const found = [fine(`${url.origin} leads to this hub`), await largeHeaders(place)]
  // The hub itself sends neither.
  const proxy = [headers['via'] ?? headers['server'] ?? []].flat().join(', ')
  if (proxy !== '' && deps.config.trustproxy.length === 0) {
    const text = `${proxy} stands in front, but trustproxy names no proxy: all clients look like one`
    found.push(warning(text, 'Set trustproxy to the address that the proxy comes from.'))
  }
  return [...found, await buffering(deps, place)]
}

const Health = z.object({ version: z.string(), uptimeSeconds: z.number() })

function isSameHub(here: string, there: string): boolean {
  const [own, other] = [here, there].map((text) => Health.safeParse(parsed(text)))
  if (!own?.success || !other?.success) return false
  const apart = Math.abs(own.data.uptimeSeconds - other.data.uptimeSeconds)
  return own.data.version === other.data.version && apart <= UPTIME_SLACK_SECONDS
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

async function largeHeaders({ url, signal }: Place): Promise<Verdict> {
  const headers = { 'x-pinhole-doctor': 'a'.repeat(LARGE_HEADER_BYTES) }
  const kib = LARGE_HEADER_BYTES / 1_024
  try {
    const { status } = await draw(new URL(HEALTH, url), { headers, signal })
    if (status === 200) return fine(`${url.origin} takes headers of ${kib} KiB`)
    const text = `${url.origin} refuses headers of ${kib} KiB (status ${status})`
    return warning(text, LARGE_HEADERS_ADVICE)
  } catch {
    return warning(`${url.origin} hangs up on headers of ${kib} KiB`, LARGE_HEADERS_ADVICE)
  }
}

const LARGE_HEADERS_ADVICE =
  'Tokens with many caveats are long: large_client_header_buffers 4 32k in nginx, limits.headerbytes here.'

/** The first event of a stream comes at once, unless somebody gathers more before passing it on. */
async function buffering(
  { config, clock }: DoctorDeps,
  { url, firstBytesMs, signal }: Place,
): Promise<Verdict> {
  if (!config.admin.enabled) return skipped('buffering: this hub has no stream of its own (admin)')
  const rootKey = openAdminKey(config.admin.macaroonpath)
  const expires = new Date(clock.wall() + MACAROON_MS).toISOString()
  const macaroon = bakeAdminMacaroon(rootKey, ['scope = read', `expires = ${expires}`])
  const headers = { 'grpc-metadata-macaroon': Buffer.from(macaroon).toString('hex') }
  const limited = AbortSignal.any([signal, AbortSignal.timeout(firstBytesMs)])
  const advice =
    'Switch buffering off (proxy_buffering off in nginx): streams that are sold come late.'
  try {
    const answer = await begin(new URL(`${REST_PREFIX}/events`, url), { headers, signal: limited })
    if (answer.statusCode !== 200) {
      answer.destroy()
      return skipped(`buffering: no stream was opened (status ${answer.statusCode})`)
    }
    await once(answer, 'readable')
    answer.destroy()
    return fine(`${url.origin} passes streams on as they come`)
  } catch {
    return warning(`${url.origin} keeps the beginning of a stream back`, advice)
  }
}
