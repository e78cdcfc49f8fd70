/** What it takes to reach an lnd: its address, its certificate, a macaroon. */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { Target } from '../../mailbox/rpc/dial.ts'
import { toHex } from '../base/bytes.ts'
import { PinholeError } from '../base/errors.ts'

const DEFAULT_LND_PORT = 10_009

/** lnd at `lnd`, `host:port`, with the certificate in the file `tls`. @throws ERR_AGENT_LND, ERR_AGENT_FILE */
export async function readTarget(lnd: string, tls: string): Promise<Target> {
  const { hostname: host, port } = parseLndAddress(lnd)
  return { host, port, certificate: checkCertificate(tls, await readLndFile(tls)) }
}

/**
 * `first`, and from each call on with what the file `tls` holds by then: lnd makes a new certificate now and then.
 * While the file cannot be used, the certificate of before stays.
 */
export function followTarget(first: Target, tls: string): () => Target {
  let target = first
  return () => {
    try {
      target = { ...target, certificate: checkCertificate(tls, readFileSync(tls)) }
    } catch {
      // Between the old file and the new one there may be none, or half of one.
    }
    return target
  }
}

/** What is no certificate would be said to be another one than lnd's. @throws ERR_AGENT_FILE */
function checkCertificate(file: string, bytes: Buffer): Buffer {
  try {
    void new X509Certificate(bytes)
    return bytes
  } catch (cause) {
    throw new PinholeError('ERR_AGENT_FILE', `${file} holds no certificate in PEM`, { cause })
  }
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
  const text = /^\s*([0-9a-fA-F]{2,})\s*$/.exec(bytes.toString('latin1'))?.[1]
  if (bytes.length === 0) throw new PinholeError('ERR_AGENT_FILE', `${file} is empty`)
  const hex = text?.toLowerCase() ?? toHex(bytes)
  if (!MACAROON.test(hex)) throw new PinholeError('ERR_AGENT_FILE', `${file} holds no macaroon`)
  return hex
}

/** The second version's first byte, or the length of the first one's first packet, in hex. */
const MACAROON = /^(02|(3[0-9]|6[1-6]){4})/

async function readLndFile(file: string): Promise<Buffer> {
  try {
    return await readFile(file)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new PinholeError('ERR_AGENT_FILE', `cannot read ${file}: ${why}`, { cause })
  }
}
