/** What it takes to reach an lnd: its address, its certificate, a macaroon. */
import { readFile } from 'node:fs/promises'
import type { Target } from '../../mailbox/rpc/dial.ts'
import { toHex } from '../base/bytes.ts'
import { PinholeError } from '../base/errors.ts'

const DEFAULT_LND_PORT = 10_009

/** lnd at `lnd`, `host:port`, with the certificate in the file `tls`. @throws ERR_AGENT_LND, ERR_AGENT_FILE */
export async function readTarget(lnd: string, tls: string): Promise<Target> {
  const { hostname, port } = parseLndAddress(lnd)
  return { host: hostname, port, certificate: await readLndFile(tls) }
}

/** @throws ERR_AGENT_LND */
export function parseLndAddress(lnd: string): { hostname: string; port: number } {
  const url = URL.canParse(`tcp://${lnd}`) ? new URL(`tcp://${lnd}`) : undefined
  if (!url || url.hostname === '' || url.pathname !== '' || url.username !== '') {
    throw new PinholeError('ERR_AGENT_LND', `${JSON.stringify(lnd)} is not a host:port`)
  }
  const hostname = url.hostname.replace(/^\[(.*)\]$/, '$1')
  return { hostname, port: url.port === '' ? DEFAULT_LND_PORT : Number(url.port) }
}

/** The macaroon in `file` in hex: lnd writes it as bytes, some keep it in hex. @throws ERR_AGENT_FILE */
export async function readMacaroon(file: string): Promise<string> {
  const bytes = await readLndFile(file)
  const hex = /^\s*([0-9a-fA-F]{2,})\s*$/.exec(bytes.toString('latin1'))?.[1]
  if (bytes.length === 0) throw new PinholeError('ERR_AGENT_FILE', `${file} is empty`)
  return hex?.toLowerCase() ?? toHex(bytes)
}

async function readLndFile(file: string): Promise<Buffer> {
  try {
    return await readFile(file)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new PinholeError('ERR_AGENT_FILE', `cannot read ${file}: ${why}`, { cause })
  }
}
