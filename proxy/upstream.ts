/** Reads where the requests of a service go: `address`, `protocol` and what is said of its TLS. */
import { X509Certificate } from 'node:crypto'
import type { Upstream } from './service.ts'
import {
  type CompileDeps,
  type Fail,
  reasonOf,
  type ServiceConfig,
  show,
} from './service-config.ts'

const DEFAULT_PORTS = { http: 80, h2c: 80, https: 443 } as const
const MAX_PORT = 65_535
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/** `host:port`, or `unix:` and a path; a port that is left out is the protocol's. */
function readAddress(config: ServiceConfig, fail: Fail): string {
  const { address, protocol } = config
  const [, socket] = /^unix:(?:\/\/(?=\/))?(.+)$/.exec(address) ?? []
  if (socket !== undefined && !socket.includes('\0')) return `unix:${socket}`
  const [, host, digits] =
    /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9][\w.-]*)(?::(\d{1,5}))?$/.exec(address) ?? []
  const port = digits === undefined ? DEFAULT_PORTS[protocol] : Number(digits)
  if (host === undefined || port === 0 || port > MAX_PORT) {
    const valid = 'host:port, [IPv6]:port or unix:/path/to/socket, without http:// or a path'
    return fail('address', `must be ${valid}, not ${show(address)}`)
  }
  return `${host}:${port}`
}

function readCertificate(path: string, readFile: CompileDeps['readFile'], fail: Fail) {
  if (path === '') return undefined
  try {
    const pem = Buffer.from(readFile(path)).toString('utf8')
    const certificates = pem.match(CERTIFICATE) ?? []
    if (certificates.length === 0) throw new Error('there is no certificate in it')
    for (const certificate of certificates) new X509Certificate(certificate)
    return pem
  } catch (error) {
    const what = `must name a readable PEM file of certificates, not ${show(path)}`
    return fail('tlscertpath', `${what}: ${reasonOf(error)}`, error)
  }
}

/** The upstream of a service. */
export function readUpstream(config: ServiceConfig, deps: CompileDeps, fail: Fail): Upstream {
  const { connect, header, body, idle } = config.timeouts
  return Object.freeze({
    protocol: config.protocol,
    address: readAddress(config, fail),
    certificate: readCertificate(config.tlscertpath, deps.readFile, fail),
    insecureTls: config.tlsinsecure,
    timeouts: Object.freeze({ connectMs: connect, headerMs: header, bodyMs: body, idleMs: idle }),
  })
}
