/**
 * The real peers: where their binaries are, whether they are what the sources say, and what a test does
 * when they are missing. `npm run interop:build` makes them (build.ts).
 */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'
import type { TestContext } from 'node:test'

/** A Go module by its way from `test/interop/go`, a package in it, and the tags that it is built with. */
export interface PeerSource {
  readonly module: string
  readonly package: string
  readonly tags?: string
  /** Built, and missed, only where `PINHOLE_INTEROP_WITH` names it: building it takes long. */
  readonly onRequest?: true
}

const LIT = {
  module: '../litd',
  tags: 'litd_no_ui litd autopilotrpc signrpc walletrpc chainrpc invoicesrpc watchtowerrpc neutrinorpc peersrpc',
  onRequest: true,
} as const

/** Every peer by the name of its binary. */
export const PEERS = {
  'lnc-peer': { module: '.', package: './lnc-peer' },
  'relay-bench': { module: '.', package: './relay-bench' },
  'proxy-bench': { module: '.', package: './proxy-bench' },
  'l402-buyer': { module: '.', package: './l402-buyer' },
  aperture: { module: '.', package: 'github.com/lightninglabs/aperture/cmd/aperture' },
  aperturecli: {
    module: 'aperturecli',
    package: 'github.com/lightninglabs/aperture/cmd/aperturecli',
  },
  lnd: {
    module: '.',
    package: 'github.com/lightningnetwork/lnd/cmd/lnd',
    tags: 'signrpc walletrpc chainrpc invoicesrpc routerrpc peersrpc',
  },
  btcd: { module: 'btcd', package: 'github.com/btcsuite/btcd' },
  h2spec: { module: 'h2spec', package: 'github.com/summerwind/h2spec/cmd/h2spec' },
  litd: { ...LIT, package: 'github.com/lightninglabs/lightning-terminal/cmd/litd' },
  litcli: { ...LIT, package: 'github.com/lightninglabs/lightning-terminal/cmd/litcli' },
} as const satisfies Record<string, PeerSource>

export type PeerName = keyof typeof PEERS

const root = path.resolve(import.meta.dirname, '../..')
export const goFolder = path.join(import.meta.dirname, 'go')
export const cacheFolder = path.join(root, '.cache/interop')

/** Where a peer's binary is, built or not. */
export function peerBinary(name: PeerName): string {
  return path.join(cacheFolder, 'bin', name)
}

/** Where the digest of the sources that a binary was built from is kept. */
export function peerStamp(name: PeerName): string {
  return `${peerBinary(name)}.sha256`
}

/** Whether a peer is built, and missed, without being asked for by its name on the command line. */
export function isWanted(name: PeerName): boolean {
  const { onRequest }: PeerSource = PEERS[name]
  const requested = (process.env.PINHOLE_INTEROP_WITH ?? '').split(',')
  return onRequest !== true || requested.includes(name)
}

/** SHA-256, in hex, of what a peer is built from: its module's files, `go.sum` among them, and its tags. */
export function sourceDigest(name: PeerName): string {
  const source: PeerSource = PEERS[name]
  const digest = createHash('sha256').update(JSON.stringify(source))
  for (const file of moduleFiles(source)) {
    digest.update(`\0${file}\0`).update(readFileSync(path.join(goFolder, source.module, file)))
  }
  return digest.digest('hex')
}

/** The peers among `names` that are not there, or older than their sources. */
export function missingPeers(names: readonly PeerName[]): PeerName[] {
  return names.filter((name) => {
    if (!existsSync(peerBinary(name)) || !existsSync(peerStamp(name))) return true
    return readFileSync(peerStamp(name), 'utf8').trim() !== sourceDigest(name)
  })
}

/**
 * Whether the peers are there; if not, the test is skipped with the command that makes them, or failed
 * where `PINHOLE_REQUIRE_INTEROP=1` says that nothing may be left out but what is built on request alone.
 */
export function requirePeers(t: TestContext, ...names: readonly PeerName[]): boolean {
  const missing = missingPeers(names)
  if (missing.length === 0) return true
  const reason = `needs ${missing.join(', ')}: run "npm run interop:build -- ${missing.join(' ')}"`
  return missing.some(isWanted) ? leaveOut(t, reason) : skip(t, reason)
}

/** Skips the test for `reason`, printed; a failure where nothing may be left out. */
export function leaveOut(t: TestContext, reason: string): false {
  if (process.env.PINHOLE_REQUIRE_INTEROP === '1') throw new Error(reason)
  return skip(t, reason)
}

function skip(t: TestContext, reason: string): false {
  console.error(`# SKIP ${t.name}: ${reason}`)
  t.skip(reason)
  return false
}

// Packages from the module proxy are pinned by go.mod and go.sum; our own are read whole.
function moduleFiles(source: PeerSource): string[] {
  const own = source.package.startsWith('./') || source.module !== '.'
  return readdirSync(path.join(goFolder, source.module), { recursive: true, encoding: 'utf8' })
    .filter((file) => /^go\.(mod|sum)$/.test(file) || (own && file.endsWith('.go')))
    .sort()
}
