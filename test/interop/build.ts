/**
 * Builds the real peers into `.cache/interop/bin`, once: a binary whose sources have not changed is left
 * alone. Needs Go and, the first time, the Go module proxy. Run by `npm run interop:build [-- NAME…]`.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import {
  PEERS,
  cacheFolder,
  goFolder,
  isWanted,
  missingPeers,
  peerBinary,
  peerStamp,
  sourceDigest,
  type PeerName,
  type PeerSource,
} from './peers.ts'

const isPeer = (name: string): name is PeerName => name in PEERS

function go(args: readonly string[], folder: string): boolean {
  const run = spawnSync('go', args, {
    cwd: folder,
    stdio: 'inherit',
    env: {
      ...process.env,
      CGO_ENABLED: '0',
      GOCACHE: path.join(cacheFolder, 'go-build'),
      GOFLAGS: '-buildvcs=false -mod=readonly',
      GOTOOLCHAIN: process.env.GOTOOLCHAIN ?? 'auto',
    },
  })
  if (run.error) console.error(`go does not run (${run.error.message}): install Go 1.26 or newer`)
  return run.status === 0
}

function build(name: PeerName): boolean {
  const source: PeerSource = PEERS[name]
  const started = performance.now()
  process.stdout.write(`${name}: building ${source.package}\n`)
  const tags = source.tags === undefined ? [] : ['-tags', source.tags]
  const digest = sourceDigest(name)
  const folder = path.join(goFolder, source.module)
  if (!go(['build', ...tags, '-o', peerBinary(name), source.package], folder)) return false
  writeFileSync(peerStamp(name), `${digest}\n`)
  process.stdout.write(`${name}: built in ${((performance.now() - started) / 1000).toFixed(1)} s\n`)
  return true
}

const asked = process.argv.slice(2)
const unknown = asked.filter((name) => !isPeer(name))
if (unknown.length > 0) {
  console.error(`no such peer: ${unknown.join(', ')}; there are ${Object.keys(PEERS).join(', ')}`)
  process.exit(2)
}
const every = Object.keys(PEERS).filter(isPeer)
const names = asked.length > 0 ? asked.filter(isPeer) : every.filter(isWanted)
const missing = missingPeers(names)
mkdirSync(path.join(cacheFolder, 'bin'), { recursive: true })
for (const name of names) {
  if (!missing.includes(name)) process.stdout.write(`${name}: up to date\n`)
  else if (!build(name)) process.exit(1)
}
