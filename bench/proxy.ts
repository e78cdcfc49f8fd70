/**
 * Our paywall beside Aperture's and nginx, each on loopback before the same upstream and on the same lnd, in
 * turn. `npm run bench:proxy [-- open|paid|tls|grpc|challenge|transfer|memory]`.
 */
import { missingPeers } from '../test/interop/peers.ts'
import { challenge } from './proxy/challenge.ts'
import { memory } from './proxy/memory.ts'
import { grpc, open, paid, tls } from './proxy/rates.ts'
import { withStage } from './proxy/stage.ts'
import { transfer } from './proxy/transfer.ts'

const BENCHES = { open, paid, tls, grpc, challenge, transfer, memory }
const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !(name in BENCHES))
const missing = missingPeers(['proxy-bench', 'aperture', 'lnd', 'btcd'])
if (unknown.length > 0) {
  console.error(
    `no such bench: ${unknown.join(', ')}; there are ${Object.keys(BENCHES).join(', ')}`,
  )
  process.exit(2)
}
if (missing.length > 0) {
  console.error(`${missing.join(', ')} missing: run "npm run interop:build"`)
  process.exit(1)
}
await withStage(async (stage) => {
  for (const [name, bench] of Object.entries(BENCHES)) {
    if (wanted.length === 0 || wanted.includes(name)) await bench(stage)
  }
})
