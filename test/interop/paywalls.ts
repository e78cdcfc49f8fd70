/** Aperture and Pinhole as processes under one configuration, on one lnd, before one set of upstreams. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseChallenge } from '../../proxy/l402/index.ts'
import type { Backends } from '../aperture/backends.ts'
import type { Token } from '../aperture/cases/request.ts'
import { configuration, SECRET, type Places } from '../aperture/config.ts'
import { exchange, type Request } from '../aperture/exchange.ts'
import type { Maker } from './ends.ts'
import { LineProcess } from './line-process.ts'
import type { Lnd } from './lnd.ts'
import { peerBinary } from './peers.ts'
import { pinhole } from './pinhole.ts'
import { freePort } from './relays.ts'

const START_MS = 30_000

/** A running paywall. */
export interface Paywall {
  readonly places: Places
  readonly process: LineProcess
  stop(): Promise<void>
}

/**
 * Starts one on a free port; resolves when it accepts connections. What it keeps is in `given`, where another
 * one may have kept its own, or in a folder that goes when it is stopped.
 */
export async function startPaywall(
  maker: Maker,
  lnd: Lnd,
  backends: Backends,
  given?: string,
): Promise<Paywall> {
  const folder = given ?? (await mkdtemp(path.join(tmpdir(), 'pinhole-paywall-')))
  const certificate = path.join(folder, 'backend.crt')
  await writeFile(certificate, backends.certificate)
  await writeFile(path.join(folder, 'secret.bin'), SECRET)
  const { h1, h2, dead } = backends
  const places: Places = {
    port: await freePort(),
    folder,
    certificate,
    h1,
    h2,
    dead,
    lnd: { host: lnd.grpcHost, tlspath: lnd.tlsCertPath, macdir: lnd.macaroonFolder },
  }
  const config = path.join(folder, 'aperture.yaml')
  await writeFile(config, configuration(places))
  const flags = [`--configfile=${config}`, `--basedir=${folder}`]
  const process =
    maker === 'go'
      ? new LineProcess({ name: 'aperture', command: peerBinary('aperture'), args: flags })
      : pinhole('start', ...flags)
  await listening(places.port, process)
  return {
    places,
    process,
    stop: async () => {
      await process.stop('SIGTERM')
      if (given === undefined) await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Resolves when `port` accepts connections; rejects when the process has ended. */
export async function listening(port: number, process: LineProcess): Promise<void> {
  const deadline = performance.now() + START_MS
  while (!(await accepts(port))) {
    if (process.hasEnded) throw new Error(`${process.name} ended at once:\n${process.stderr}`)
    if (performance.now() > deadline) throw new Error(`${process.name} does not listen`)
    await sleep(50)
  }
}

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })

/** Buys a token: an unpaid request, its invoice paid by `pay`. */
export async function buy(
  port: number,
  request: Request,
  pay: (invoice: string) => Promise<string>,
): Promise<Token> {
  const { headers, status } = await exchange(port, request)
  const [challenge] = parseChallenge(headers['www-authenticate'] ?? [])
  if (!challenge) throw new Error(`no challenge in an answer with status ${status}`)
  return { macaroon: challenge.macaroon, preimage: await pay(challenge.invoice) }
}
