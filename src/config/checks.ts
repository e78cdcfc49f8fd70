/** Rules that involve several keys; texts are Aperture's where it has the same rule. */
import { parseAddress } from './address.ts'
import { formatDuration } from './duration.ts'
import { parseLevels } from './log-levels.ts'
import type { Values } from './schema.ts'
import type { Path } from './tree.ts'

/** A broken rule and the key that should change. */
export interface Breach {
  readonly path: Path
  readonly text: string
}

/** What a message's descriptor may add to it. */
const ENVELOPE_BYTES = 4_096

type Rule = (values: Values) => Breach | undefined

const unless = (holds: boolean, path: Path, text: string): Breach | undefined =>
  holds ? undefined : { path, text }

const RULES: readonly Rule[] = [
  ({ listenaddr }) => unless(listenaddr !== '', ['listenaddr'], 'must not be empty'),
  ({ profile }) =>
    unless(profile === 0 || profile >= 1024, ['profile'], 'must be between 1024 and 65535, or 0'),
  ({ servestatic, staticroot }) =>
    unless(
      !servestatic || staticroot !== '',
      ['staticroot'],
      'cannot be empty with servestatic, must contain path to directory that contains index.html',
    ),
  ({ autocert, servername }) =>
    unless(!autocert || servername !== '', ['servername'], 'is needed with autocert'),
  ({ wspinginterval: interval, wspongwait: wait }) =>
    unless(
      interval === 0 || wait < interval,
      ['wspongwait'],
      `(${formatDuration(wait)}) must be less than wspinginterval (${formatDuration(interval)})`,
    ),
  ({ prometheus: { enabled, listenaddr } }) =>
    unless(
      !enabled || listenaddr !== '',
      ['prometheus', 'listenaddr'],
      'is needed with prometheus.enabled, for example localhost:9000',
    ),
  ({ debuglevel }) => {
    const levels = parseLevels(debuglevel)
    return typeof levels === 'string' ? { path: ['debuglevel'], text: levels } : undefined
  },
  // A message that could never be held would make its writer wait for ever.
  ({ hashmail }) =>
    unless(
      hashmail.maxbufferedbytes >= hashmail.maxmessagebytes + ENVELOPE_BYTES,
      ['hashmail', 'maxbufferedbytes'],
      'must be larger than hashmail.maxmessagebytes by at least 4KiB',
    ),
  ({ hashmail }) =>
    unless(
      hashmail.maxbufferedbytesperaddress >= hashmail.maxmessagebytes + ENVELOPE_BYTES,
      ['hashmail', 'maxbufferedbytesperaddress'],
      'must be larger than hashmail.maxmessagebytes by at least 4KiB',
    ),
  ({ invoices: { pool, expiry } }) =>
    unless(
      !pool.enabled || pool.minlife < expiry,
      ['invoices', 'pool', 'minlife'],
      `must be less than invoices.expiry (${formatDuration(expiry)})`,
    ),
  // Tokens in another place than the one that was asked for would be lost ones.
  ({ services, admin, dbbackend }) =>
    unless(
      (services.length === 0 && !admin.enabled) || dbbackend === 'sqlite',
      ['dbbackend'],
      `must be sqlite: this version keeps what it sells in no other (${dbbackend})`,
    ),
  ({ authenticator }) => brokenAuthenticator(authenticator),
]

/** What `values` break, empty when nothing. */
export function breaches(values: Values): Breach[] {
  const general = RULES.flatMap((rule) => rule(values) ?? [])
  const services = values.services.flatMap(({ dynamicprice }, index): Breach[] => {
    const path = ['services', index, 'dynamicprice']
    if (dynamicprice.metered && !dynamicprice.enabled) {
      return [{ path: [...path, 'metered'], text: 'requires dynamicprice.enabled' }]
    }
    const certain = dynamicprice.insecure || dynamicprice.tlscertpath !== ''
    if (!dynamicprice.enabled || certain) return []
    return [
      { path: [...path, 'tlscertpath'], text: 'is needed unless dynamicprice.insecure is true' },
    ]
  })
  return [...general, ...services]
}

/** Aperture's order of checks; a hub without any node is fine here, it may be a pure relay. */
function brokenAuthenticator(node: Values['authenticator']): Breach | undefined {
  if (node.disable) return undefined
  const at = (key: string, text: string): Breach => ({ path: ['authenticator', key], text })
  if (node.enablesessions && !node.enablempp) {
    return at('enablesessions', 'requires enablempp to be set')
  }
  if (node.wavelengthgateway !== '') {
    const exclusive = node.lndhost === '' && node.passphrase === ''
    return exclusive ? undefined : at('wavelengthgateway', 'excludes lndhost and passphrase')
  }
  if (node.lndhost !== '') return brokenDirectNode(node, at)
  return node.passphrase === '' ? undefined : brokenPairedNode(node, at)
}

type Node = Values['authenticator']
type At = (key: string, text: string) => Breach

function brokenDirectNode(node: Node, at: At): Breach | undefined {
  if (node.passphrase !== '') {
    return at('passphrase', 'cannot be set when connecting directly to the lnd node')
  }
  if (node.tlspath === '') return at('tlspath', 'is needed with lndhost')
  return node.macdir === '' ? at('macdir', 'is needed with lndhost') : undefined
}

function brokenPairedNode(node: Node, at: At): Breach | undefined {
  if (!parseAddress(node.mailboxaddress)) {
    return at('mailboxaddress', 'must be the relay as host:port when passphrase is set')
  }
  return node.network === '' ? at('network', 'is needed with passphrase') : undefined
}
