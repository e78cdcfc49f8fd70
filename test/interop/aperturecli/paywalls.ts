/** An Aperture and a hub of one configuration, on one lnd, with their admin APIs on. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createHub, loadConfig } from '../../../src/index.ts'
import { LineProcess } from '../line-process.ts'
import type { Lnd } from '../lnd.ts'
import { listening } from '../paywalls.ts'
import { peerBinary } from '../peers.ts'
import { freePort } from '../relays.ts'

/** A running one. */
export interface Operated {
  readonly port: number
  readonly folder: string
  stop(): Promise<void>
}

const configuration = (port: number, folder: string, lnd: Lnd): string => `
listenaddr: 127.0.0.1:${port}
insecure: true
dbbackend: sqlite
sqlite:
  databasefilename: '${folder}/tokens.db'
authenticator:
  lndhost: '${lnd.grpcHost}'
  tlspath: '${lnd.tlsCertPath}'
  macdir: '${lnd.macaroonFolder}'
  network: simnet
admin:
  enabled: true
  macaroonpath: '${folder}/admin.macaroon'
services:
- name: weather
  hostregexp: '.*'
  pathregexp: '^/weather.*$'
  address: 127.0.0.1:9
  protocol: http
  auth: 'on'
  price: 5
- name: news
  hostregexp: '.*'
  pathregexp: '^/news.*$'
  address: 127.0.0.1:9
  protocol: https
  auth: 'on'
  price: 7
- name: trial
  hostregexp: '^trial.test$'
  pathregexp: '^/trial.*$'
  address: 127.0.0.1:9
  protocol: http
  auth: 'freebie 2'
  price: 3
`

/** Starts one in a folder that goes when it is stopped. */
export async function operate(maker: 'go' | 'pinhole', lnd: Lnd): Promise<Operated> {
  const folder = await mkdtemp(path.join(tmpdir(), 'pinhole-operated-'))
  const port = await freePort()
  const configfile = path.join(folder, 'aperture.yaml')
  await writeFile(configfile, configuration(port, folder, lnd))
  const end = await (maker === 'go' ? aperture : hub)(configfile, folder, port)
  return {
    port,
    folder,
    stop: async () => {
      await end()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function aperture(configfile: string, folder: string, port: number) {
  const args = [`--configfile=${configfile}`, `--basedir=${folder}`]
  const process = new LineProcess({ name: 'aperture', command: peerBinary('aperture'), args })
  await listening(port, process)
  return () => process.stop('SIGTERM')
}

async function hub(configfile: string, basedir: string) {
  const made = createHub(loadConfig({ configfile, basedir }))
  await made.listen()
  return () => made.close()
}
