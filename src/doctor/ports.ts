/** Whether the ports answer, or could be had. */
import net from 'node:net'
import { parseAddress } from '../config/address.ts'
import type { Config } from '../config/load.ts'
import { type Check, fine, type Verdict, warning, wrong } from './check.ts'
import { isOpen, placeOf } from './places.ts'
import { reach } from './probe.ts'

/** The check. */
export const portsCheck: Check = {
  name: 'ports',
  limitMs: 5_000,
  async run({ config, address, adminAddress }, signal) {
    if (address === undefined) return Promise.all(wanted(config).map(couldBeHad))
    const running = [address, ...(adminAddress === undefined ? [] : [adminAddress])]
    const found = await Promise.all(running.map((one) => answers(one, signal)))
    if (config.hashmail.enabled && !isOpen(config) && config.servername === '') {
      const text = `the relay listens on ${config.listenaddr}, where only this machine reaches it`
      const advice =
        'Listen on all addresses (listenaddr: :443), or set servername to the name that a proxy in front has.'
      found.push(warning(text, advice))
    }
    return found
  },
}

async function answers(address: string, signal: AbortSignal): Promise<Verdict> {
  try {
    await reach(net.connect(placeOf(new URL(address))), 'connect', signal)
    return fine(`${address} takes connections`)
  } catch (reason) {
    const why = reason instanceof Error ? reason.message : String(reason)
    return wrong(
      `${address} takes no connections: ${why}`,
      'Look for a firewall on this machine, and at limits.connections.',
    )
  }
}

function wanted({ listenaddr, prometheus, admin, profile }: Config): readonly [string, string][] {
  const ports: [string, string][] = [['listenaddr', listenaddr]]
  if (prometheus.enabled) ports.push(['prometheus.listenaddr', prometheus.listenaddr])
  if (admin.enabled && admin.listenaddr !== '') ports.push(['admin.listenaddr', admin.listenaddr])
  if (profile !== 0) ports.push(['profile', `127.0.0.1:${profile}`])
  return ports
}

/** Binds and lets go. */
function couldBeHad([key, text]: readonly [string, string]): Promise<Verdict> {
  const { host, port } = parseAddress(text) ?? { host: undefined, port: 0 }
  const server = net.createServer()
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      resolve(wrong(`${key} ${text} cannot be had: ${error.message}`, adviceOf(error, key)))
    })
    server.listen({ host, port, exclusive: true }, () => {
      server.close(() => resolve(fine(`${key} ${text} is free`)))
    })
  })
}

function adviceOf({ code }: NodeJS.ErrnoException, key: string): string {
  if (code === 'EADDRINUSE') {
    return `Another program has it, perhaps a hub without admin.enabled: end that, or choose another ${key}.`
  }
  if (code !== 'EACCES') return `Choose an address of this machine for ${key}.`
  return 'Ports below 1024 take a right: AmbientCapabilities=CAP_NET_BIND_SERVICE in systemd, or choose a higher one.'
}
