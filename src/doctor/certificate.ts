/** TLS as clients meet it: which names, until when, trusted by whom, and what ALPN really agrees on. */
import type { X509Certificate } from 'node:crypto'
import path from 'node:path'
import { storedCertificate } from '../certificate.ts'
import type { Config } from '../config/load.ts'
import { type Check, failed, fine, skipped, type Verdict, warning, wrong } from './check.ts'
import { placeOf } from './places.ts'
import { type Handshake, shakeHands } from './probe.ts'

const DAY_MS = 86_400_000
/** Whoever renews does so earlier than this. */
const SOON_MS = 14 * DAY_MS

/** The check. */
export const certificateCheck: Check = {
  name: 'tls',
  limitMs: 10_000,
  async run({ config, address, outside, clock }, signal) {
    const wallMs = clock.wall()
    if (address === undefined) return [onDisk(config, wallMs)]
    const own = new URL(address)
    const urls = [own, ...(outside && outside.origin !== own.origin ? [outside] : [])]
    const found = await Promise.all(
      urls.map((url) => look(url, { name: config.servername, wallMs, signal })),
    )
    return found.flat()
  },
}

interface Looking {
  /** Name that clients dial; empty when there is none. */
  readonly name: string
  readonly wallMs: number
  readonly signal: AbortSignal
}

async function look(url: URL, looking: Looking): Promise<Verdict[]> {
  if (url.protocol === 'http:') {
    return [skipped(`${url.origin} speaks cleartext, as the configuration says (insecure)`)]
  }
  try {
    const offer = (...protocols: string[]) =>
      shakeHands({ ...placeOf(url), protocols, signal: looking.signal })
    const [both, old] = await Promise.all([offer('h2', 'http/1.1'), offer('http/1.1')])
    return [...agreed(url, both.protocol, old.protocol), ...judged(url.origin, both, looking)]
  } catch (reason) {
    return [failed(reason, `${url.origin}: no TLS: `)]
  }
}

function agreed(url: URL, both: string, old: string): Verdict[] {
  const advice =
    'Let what stands in front offer both by ALPN (http2 on in nginx), or pass TCP through.'
  const found: Verdict[] = []
  if (both !== 'h2') {
    const text = `${url.origin} agrees on ${both || 'nothing'} where h2 is offered: gRPC, and so litd, cannot use it`
    found.push(wrong(text, advice))
  }
  if (old !== 'http/1.1') {
    const text = `${url.origin} agrees on ${old || 'nothing'} with clients that know http/1.1 only`
    found.push(warning(text, advice))
  }
  return found.length > 0 ? found : [fine(`${url.origin} agrees on h2 and on http/1.1`)]
}

function judged(where: string, { certificate, distrust }: Handshake, looking: Looking): Verdict[] {
  if (!certificate) return [wrong(`${where} shows no certificate`, 'Look at what answers there.')]
  return [
    ...dated(where, certificate, looking.wallMs),
    ...trusted(where, certificate, distrust, looking.name),
  ]
}

function dated(where: string, certificate: X509Certificate, wallMs: number): Verdict[] {
  const leftMs = Date.parse(certificate.validTo) - wallMs
  const until = new Date(certificate.validTo).toISOString()
  const advice = 'Renew it; a running hub takes new files within the hour.'
  if (leftMs < 0) return [wrong(`the certificate of ${where} has expired at ${until}`, advice)]
  if (leftMs < SOON_MS) return [warning(`the certificate of ${where} expires at ${until}`, advice)]
  return [fine(`the certificate of ${where} is good until ${until}`)]
}

function trusted(
  where: string,
  certificate: X509Certificate,
  distrust: string,
  name: string,
): Verdict[] {
  const found: Verdict[] = []
  if (name !== '' && certificate.checkHost(name) === undefined) {
    const names = certificate.subjectAltName ?? certificate.subject
    const text = `the certificate of ${where} is not for ${name}, but for ${names}`
    found.push(
      wrong(text, 'Get one for that name, or set servername to the name that clients dial.'),
    )
  }
  const selfSigned = certificate.checkIssued(certificate)
  // Whoever dials localhost has the file beside it.
  if (selfSigned && name !== '') {
    const text = `the certificate of ${where} was made by itself: only who has it trusts it`
    const advice =
      'Get one of a public authority for clients at large; for your own, copy tls.cert, or use --devserver (litd) and --insecure-tls (pinhole).'
    found.push(warning(text, advice))
  } else if (!selfSigned && !certificateTrouble(distrust)) {
    const text = `the certificate of ${where} is not trusted here: ${distrust}`
    found.push(warning(text, 'Put the whole chain into tls.cert, the certificate first.'))
  }
  return found
}

/** Names were looked at already, and the own port is dialled by another one. */
const certificateTrouble = (distrust: string): boolean =>
  distrust === '' ||
  distrust.includes('ERR_TLS_CERT_ALTNAME_INVALID') ||
  distrust.includes('CERT_HAS_EXPIRED')

function onDisk({ basedir, insecure, servername }: Config, wallMs: number): Verdict {
  if (insecure) return skipped('the configuration wants cleartext (insecure)')
  const file = path.join(basedir, 'tls.cert')
  const certificate = storedCertificate(basedir)
  if (!certificate) return fine(`${file} is made at the start`)
  if (servername !== '' && certificate.checkHost(servername) === undefined) {
    return wrong(`${file} is not for ${servername}`, 'Get a certificate for that name.')
  }
  return dated(file, certificate, wallMs)[0] ?? fine(file)
}
