/** The machine's clock against those of others: tokens and invoices expire by it. */
import {
  type Check,
  type DoctorDeps,
  fine,
  skipped,
  type Verdict,
  warning,
  wrong,
} from './check.ts'
import { isLoopback, placeOf } from './places.ts'
import { draw } from './probe.ts'

const EACH_MS = 4_000
/** `Date` has no fractions of a second. */
const FINE_MS = 3_000
/** Beyond it expiries are wrong by more than anybody allows for. */
const WRONG_MS = 60_000
const MAX_ASKED = 4

/** The check. */
export const timeCheck: Check = {
  name: 'clock',
  limitMs: 20_000,
  async run(deps, signal) {
    const urls = others(deps, await relaysOf(deps))
    const asked = await Promise.all(urls.map((url) => aheadOf(url, deps, signal)))
    const differences = asked.filter((ms) => ms !== undefined)
    if (differences.length === 0) {
      return [
        skipped('no other machine has told its time', 'Let NTP keep the clock (timedatectl).'),
      ]
    }
    // One of the others may be wrong itself.
    differences.sort((a, b) => Math.abs(a) - Math.abs(b))
    return [verdictOf(differences[0] ?? 0)]
  },
}

/** Those that nodes are reached through; nobody else is asked who does not know of us already. */
async function relaysOf({ config, nodes = [] }: DoctorDeps): Promise<readonly string[]> {
  const { passphrase, mailboxaddress } = config.authenticator
  const ready = nodes.filter(({ state }) => state === 'ready')
  const surveyed = await Promise.allSettled(ready.map((node) => node.survey()))
  const known = surveyed.flatMap((one) => (one.status === 'fulfilled' ? [one.value.mailbox] : []))
  const own = passphrase === '' ? '' : mailboxaddress
  return [...new Set([own, ...known])].filter((relay) => relay !== '')
}

/** Relays and upstreams elsewhere: they have clocks of their own. */
function others({ services }: DoctorDeps, relays: readonly string[]): readonly URL[] {
  const upstreams = services
    .filter(({ address, protocol }) => protocol !== 'h2c' && !address.startsWith('unix:'))
    .map(({ address, protocol }) => `${protocol}://${address}`)
  return [
    ...upstreams,
    ...relays.map((relay) => (relay.includes('://') ? relay : `https://${relay}`)),
  ]
    .filter((text) => URL.canParse(text))
    .map((text) => new URL(text))
    .filter((url) => !isLoopback(placeOf(url).host))
    .slice(0, MAX_ASKED)
}

/** How far we are ahead, in milliseconds; `undefined` when it does not tell. */
export async function aheadOf(
  url: URL,
  { clock }: DoctorDeps,
  signal: AbortSignal,
): Promise<number | undefined> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(EACH_MS)])
  const sentMs = clock.wall()
  try {
    const { headers } = await draw(url, { method: 'HEAD', signal: limited })
    const theirs = Date.parse(headers.date ?? '')
    if (Number.isNaN(theirs)) return undefined
    // It was written somewhere in between, and its fraction of a second cut off.
    return (sentMs + clock.wall()) / 2 - (theirs + 500)
  } catch {
    return undefined
  }
}

/** What a difference means. */
export function verdictOf(aheadMs: number): Verdict {
  const seconds = Math.round(Math.abs(aheadMs) / 1_000)
  if (Math.abs(aheadMs) < FINE_MS) return fine('the clock is that of others, to the second')
  const text = `the clock is ${seconds} s ${aheadMs > 0 ? 'ahead of' : 'behind'} that of others`
  const advice =
    'Let NTP keep the clock (timedatectl set-ntp true): tokens and invoices expire by it.'
  return Math.abs(aheadMs) < WRONG_MS ? warning(text, advice) : wrong(text, advice)
}
