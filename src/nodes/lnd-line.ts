/** A line straight to an lnd's gRPC port: dialled again whenever it breaks, and asked whether it still answers. */
import path from 'node:path'
import type { Clock } from '../base/clock.ts'
import { asPinholeError, isPinholeError, PinholeError } from '../base/errors.ts'
import { type Log, silentLog } from '../base/log.ts'
import type { Config } from '../config/load.ts'
import { checkMacaroon, checkState } from '../agent/check-lnd.ts'
import { readMacaroon, readTarget } from '../agent/lnd-files.ts'
import { openChannel, type Channel } from '../../mailbox/rpc/channel.ts'
import { dialLink } from '../../mailbox/rpc/dial.ts'
import { LightningNode } from '../../mailbox/rpc/lightning-node.ts'
import { type Keeper, keepLine } from './keeper.ts'
import type { Line } from './line.ts'
import { pause } from './pause.ts'

/**
 * Where lnd is. The files are read at every dialling: lnd makes a new certificate now and then. A macaroon that was
 * replaced is noticed within half a minute.
 */
export interface LndAddress {
  /** `host:port`. */
  readonly lnd: string
  /** Its certificate, a file in PEM. */
  readonly tls: string
  readonly macaroon: string
}

/** The lnd that the configuration names, as Aperture reads it. */
export const lndAddress = ({ lndhost, tlspath, macdir }: Config['authenticator']): LndAddress => ({
  lnd: lndhost,
  tls: tlspath,
  macaroon: path.join(macdir, 'invoice.macaroon'),
})

/** What a line to lnd is made of. */
export interface LndLineOptions {
  readonly line: Line
  readonly address: LndAddress
  readonly clock: Clock
  readonly log: Log
}

/** An lnd that restarts is found within some seconds; a misspelled path is no reason to spin. */
const RETRY = { firstMs: 200, maxMs: 10_000 }

/** How often lnd is asked while nothing else is known of it; a host that is gone sends no FIN. */
const PROBE_MS = 30_000

/** Keeps `line` connected until it is closed. */
export function keepLndLine(options: LndLineOptions): Keeper {
  const { line, clock, log } = options
  return keepLine({
    line,
    clock,
    retry: RETRY,
    hold: (signal, onReady) => oneConnection(options, signal, onReady),
    onLost: ({ code, message: reason }) => log.info({ code, reason }, 'no connection to lnd'),
  })
}

/** Dials and holds the connection until it breaks; resolves to why. */
async function oneConnection(
  { line, address, clock }: LndLineOptions,
  signal: AbortSignal,
  onReady: () => void,
): Promise<PinholeError> {
  const where = `lnd at ${address.lnd}`
  let channel: Channel | undefined
  const hangUp = () => void channel?.close()
  signal.addEventListener('abort', hangUp)
  try {
    const target = await readTarget(address.lnd, address.tls)
    const macaroon = await readMacaroon(address.macaroon)
    channel = openChannel(dialLink(target), { metadata: [['macaroon', macaroon]], clock })
    if (signal.aborted) hangUp()
    await checkNode(channel, where)
    onReady()
    line.up(new LightningNode(channel))
    // Calls go on with the macaroon that they began with: a wider one that was put there is to be of use.
    const outdated = async () => {
      const now = await readMacaroon(address.macaroon).catch(() => macaroon)
      return now === macaroon ? undefined : changed(address.macaroon)
    }
    return await untilLost(channel, where, clock, outdated)
  } catch (reason) {
    return asPinholeError(reason, 'ERR_AGENT_LND')
  } finally {
    signal.removeEventListener('abort', hangUp)
    await channel?.close()
  }
}

/** @throws ERR_AGENT_LND, or what the question of its state throws */
async function checkNode(channel: Channel, where: string): Promise<void> {
  await checkState(channel, where)
  await checkMacaroon(channel, where, silentLog).catch((reason: unknown) => {
    // An lnd whose chain is away cannot tell of itself, and makes invoices nevertheless.
    if (isPinholeError(reason, 'ERR_AGENT_LND')) throw reason
  })
}

const changed = (file: string) =>
  new PinholeError('ERR_AGENT_LND', `${file} has changed: lnd is asked with what it holds now`)

async function untilLost(
  channel: Channel,
  where: string,
  clock: Clock,
  outdated: () => Promise<PinholeError | undefined>,
): Promise<PinholeError> {
  const lost = new AbortController()
  const closed = channel.closed.then((error) => {
    lost.abort()
    return error ?? new PinholeError('ERR_AGENT_LND', `${where} ended the connection`)
  })
  const silent = new Promise<PinholeError>((resolve) => {
    const probe = async (): Promise<PinholeError | undefined> => {
      for (;;) {
        await pause(PROBE_MS, clock, lost.signal)
        if (lost.signal.aborted) return undefined
        await checkNode(channel, where)
        const reason = await outdated()
        if (reason) return reason
      }
    }
    const over = (reason: PinholeError | undefined) => reason && resolve(reason)
    probe().then(over, (reason: unknown) => resolve(asPinholeError(reason, 'ERR_AGENT_LND')))
  })
  return Promise.race([closed, silent])
}
