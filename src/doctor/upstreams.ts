/** Whether what is sold is there. */
import net, { isIP } from 'node:net'
import { readFileSync } from 'node:fs'
import tls from 'node:tls'
import type { ServiceSettings } from '../selling/service-fields.ts'
import { type Check, fine, skipped, type Verdict, wrong } from './check.ts'
import { reach } from './probe.ts'

/** How long one may take, in milliseconds; the check's own limit is above it. */
const EACH_MS = 4_000
/** Hubs with hundreds of services are not to open hundreds of sockets at once. */
const AT_ONCE = 16

/** The check. */
export const upstreamsCheck: Check = {
  name: 'upstreams',
  limitMs: 20_000,
  async run({ services }, signal) {
    if (services.length === 0) return [skipped('nothing is for sale', 'Add a service.')]
    const found: Verdict[] = []
    const waiting = [...services]
    const worker = async () => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        found.push(await look(next, signal))
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, worker))
    return found
  },
}

async function look(service: ServiceSettings, signal: AbortSignal): Promise<Verdict> {
  const { name, address, protocol } = service
  const what = `the upstream of ${name || 'a service'}, ${protocol} ${address},`
  const limited = AbortSignal.any([signal, AbortSignal.timeout(EACH_MS)])
  const unix = address.startsWith('unix:')
  try {
    if (unix) await reach(net.connect(address.slice('unix:'.length)), 'connect', limited)
    else if (protocol === 'https') await reachByTls(service, limited)
    else await reach(net.connect(hostAndPort(address, 80)), 'connect', limited)
    return fine(`${what} takes connections`)
  } catch (reason) {
    const error: NodeJS.ErrnoException =
      reason instanceof Error ? reason : new Error(String(reason))
    return wrong(`${what} cannot be used: ${error.message}`, adviceOf(error, name))
  }
}

function hostAndPort(address: string, otherwise: number) {
  const url = new URL(`http://${address}`)
  const port = url.port === '' && !/:80$/.test(address) ? otherwise : Number(url.port || 80)
  return { host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port }
}

/** As the paywall itself trusts it. */
function reachByTls(service: ServiceSettings, signal: AbortSignal): Promise<void> {
  const { host, port } = hostAndPort(service.address, 443)
  const { tlscertpath: file, tlsinsecure } = service
  const trust = {
    ...(file === '' ? {} : { ca: readFileSync(file) }),
    ...(isIP(host) === 0 ? { servername: host } : {}),
    rejectUnauthorized: !tlsinsecure,
  }
  return reach(tls.connect({ host, port, ...trust }), 'secureConnect', signal)
}

function adviceOf({ code = '', message }: NodeJS.ErrnoException, name: string): string {
  if (/CERT|SELF_SIGNED|ISSUER|HOSTNAME/i.test(code)) {
    return `Trust it by tlscertpath of the service ${name}, or set its tlsinsecure.`
  }
  if (/EPROTO|wrong version|SSL/i.test(code + message)) {
    return `What listens there does not speak TLS: correct the protocol of the service ${name}.`
  }
  return `Start it, or correct the address of the service ${name}.`
}
