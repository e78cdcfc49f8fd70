/**
 * Our relay beside Aperture's, each in one process on loopback with TLS, under the same Go generator
 * (`test/interop/go/relay-bench`), in turn.
 * `npm run bench:relay [-- throughput|lone|idle|many|stall|inflight]`.
 */
import { missingPeers } from '../test/interop/peers.ts'
import { idle, many } from './relay/idle.ts'
import { inflight } from './relay/inflight.ts'
import { lone } from './relay/lone.ts'
import { stall } from './relay/stall.ts'
import { throughput } from './relay/throughput.ts'

const BENCHES = { throughput, lone, idle, many, stall, inflight }
const missing = missingPeers(['relay-bench', 'aperture'])
if (missing.length > 0) {
  console.error(`${missing.join(', ')} missing: run "npm run interop:build"`)
  process.exit(1)
}
const wanted = process.argv.slice(2)
for (const [name, bench] of Object.entries(BENCHES)) {
  if (wanted.length === 0 || wanted.includes(name)) await bench()
}
