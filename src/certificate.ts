/**
 * The certificate of the port: `tls.cert` and `tls.key` in the base folder. Made on the first start,
 * renewed when it is ours and near its end, read anew when somebody replaces the files.
 */
import { createPrivateKey, randomBytes, X509Certificate } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { renameSync, rmSync, writeSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { type Clock, systemClock } from './base/clock.ts'
import { PinholeError } from './base/errors.ts'
import { type Log, silentLog } from './base/log.ts'
import { newKey, ORGANIZATION, selfSign, type Subject } from './certificate/self-signed.ts'
import type { KeyPair } from './listener.ts'

const DAY_MS = 86_400_000
/** Half of the certificate's life, as Aperture does it: clients that pin one get to see the next in time. */
export const RENEW_BEFORE_DAYS = 410
/** How often a running hub looks whether its certificate is due or was replaced. */
export const CHECK_EVERY_MS = 3_600_000

/** Where the pair lies and whom it names. */
export interface CertificateOptions {
  readonly basedir: string
  /** Name that clients dial; empty when there is none. */
  readonly servername: string
}

/** The pair of a running hub. */
export interface Certificate {
  readonly pair: KeyPair
  /** Calls `action` with every later pair. */
  onReplaced(action: (pair: KeyPair) => void): void
  /** Stops to look. */
  close(): void
}

/** Opens the pair, makes or renews it first where that is needed. Rejects with `ERR_LISTEN_CERTIFICATE`. */
export async function openCertificate(
  options: CertificateOptions,
  deps: { readonly clock?: Clock; readonly log?: Log } = {},
): Promise<Certificate> {
  const { clock = systemClock, log = silentLog } = deps
  let pair = await current(options, clock, log)
  const actions: ((pair: KeyPair) => void)[] = []
  let closed = false
  let cancel = () => {}
  const look = async () => {
    try {
      const found = await current(options, clock, log)
      if (closed || (found.cert === pair.cert && found.key === pair.key)) return
      pair = found
      log.info({ expires: expiry(found.cert) }, 'certificate replaced')
      for (const action of actions) action(pair)
    } catch (error) {
      log.warn({ error }, 'certificate unusable, the one in memory stays')
    } finally {
      if (!closed) lookLater()
    }
  }
  // Set after each look, so that no two overlap.
  const lookLater = () => {
    cancel = clock.after(CHECK_EVERY_MS, () => void look())
  }
  lookLater()
  return {
    get pair() {
      return pair
    },
    onReplaced: (action) => void actions.push(action),
    close: () => {
      closed = true
      cancel()
    },
  }
}

/** The certificate of the pair that a start would take; `undefined` where it would make one. @throws ERR_LISTEN_CERTIFICATE */
export function storedCertificate(basedir: string): X509Certificate | undefined {
  return stored(basedir)?.certificate
}

function stored(basedir: string) {
  const certFile = path.join(basedir, 'tls.cert')
  const keyFile = path.join(basedir, 'tls.key')
  const [hasCert, hasKey] = [existsSync(certFile), existsSync(keyFile)]
  if (hasCert !== hasKey) {
    const [there, missing] = hasCert ? [certFile, keyFile] : [keyFile, certFile]
    throw new PinholeError('ERR_LISTEN_CERTIFICATE', `${there} is there but ${missing} is not`)
  }
  if (!hasKey) return undefined
  const pair = { cert: readFile(certFile), key: readFile(keyFile) }
  return { pair, certificate: verified(pair, certFile, keyFile) }
}

async function current(options: CertificateOptions, clock: Clock, log: Log): Promise<KeyPair> {
  const certFile = path.join(options.basedir, 'tls.cert')
  const keyFile = path.join(options.basedir, 'tls.key')
  const found = stored(options.basedir)
  if (!found) {
    const key = newKey().export({ type: 'sec1', format: 'pem' }).toString()
    // Both exist before the first is written: whoever interrupts the making leaves no half pair.
    const cert = await issue(key, options, clock)
    mkdirSync(options.basedir, { recursive: true, mode: 0o700 })
    writeFile(keyFile, key, 0o600)
    saveCertificate(certFile, cert, log)
    return { cert, key }
  }
  const { pair, certificate } = found
  if (!isDue(certificate, options, clock)) return pair
  // The key stays, so that exchanging one file is all there is to a renewal.
  const cert = await issue(pair.key, options, clock)
  saveCertificate(certFile, cert, log)
  return { ...pair, cert }
}

function isDue(
  certificate: X509Certificate,
  { servername }: CertificateOptions,
  clock: Clock,
): boolean {
  if (!certificate.subject.split('\n').includes(`O=${ORGANIZATION}`)) return false
  const leftMs = Date.parse(certificate.validTo) - clock.wall()
  const named = servername === '' || certificate.checkHost(servername) !== undefined
  return leftMs < RENEW_BEFORE_DAYS * DAY_MS || !named
}

function issue(key: string, { servername }: CertificateOptions, clock: Clock): Promise<string> {
  const subject: Subject = {
    hostname: os.hostname(),
    names: servername === '' ? [] : [servername],
    addresses: Object.values(os.networkInterfaces()).flatMap((entries) =>
      (entries ?? []).map(({ address }) => address),
    ),
  }
  return selfSign(createPrivateKey(key), subject, clock.wall())
}

function saveCertificate(certFile: string, cert: string, log: Log): void {
  writeFile(certFile, cert, 0o644)
  log.info({ file: certFile, expires: expiry(cert) }, 'made a self-signed certificate')
}

const expiry = (cert: string) => new Date(new X509Certificate(cert).validTo).toISOString()

function verified({ cert, key }: KeyPair, certFile: string, keyFile: string): X509Certificate {
  const fail = (text: string, cause?: unknown) =>
    new PinholeError('ERR_LISTEN_CERTIFICATE', text, { cause })
  let certificate: X509Certificate
  try {
    certificate = new X509Certificate(cert)
  } catch (cause) {
    throw fail(`${certFile} holds no certificate in PEM`, cause)
  }
  let matches: boolean
  try {
    matches = certificate.checkPrivateKey(createPrivateKey(key))
  } catch (cause) {
    throw fail(`${keyFile} holds no private key in PEM, or one with a password`, cause)
  }
  if (!matches) throw fail(`the key in ${keyFile} is not that of the certificate in ${certFile}`)
  return certificate
}

function readFile(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new PinholeError('ERR_LISTEN_CERTIFICATE', `${file} cannot be read`, { cause })
  }
}

/** Writes beside `file` and renames, so that nobody ever sees half of it or wider rights. */
function writeFile(file: string, content: string, mode: number): void {
  const beside = `${file}.${randomBytes(6).toString('hex')}`
  try {
    const handle = openSync(beside, 'wx', mode)
    try {
      writeSync(handle, content)
      fsyncSync(handle)
    } finally {
      closeSync(handle)
    }
    renameSync(beside, file)
  } catch (cause) {
    rmSync(beside, { force: true })
    throw new PinholeError('ERR_LISTEN_CERTIFICATE', `${file} cannot be written`, { cause })
  }
}
