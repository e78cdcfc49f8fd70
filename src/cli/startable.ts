/** What would keep a hub from starting, or from using a node, without one: its database is only looked at. */
import { compileServices } from '../../proxy/compile.ts'
import { silentLog } from '../base/log.ts'
import type { Config } from '../config/load.ts'
import { openPairing } from '../nodes/sealed-store.ts'
import { nodeSecret } from '../nodes/secret.ts'
import { compileDeps } from '../selling/compile-deps.ts'
import { judgeServices } from '../selling/judge-services.ts'
import { databasePlace } from '../store/aperture/beside.ts'
import { keptNodes, keptServices } from '../store/kept-services.ts'

/** @throws ERR_CONFIG_VALUE, ERR_NODE_SECRET, ERR_STORE_OPEN and what else a start ends with */
export async function startable(config: Config): Promise<void> {
  compileServices(config.services, compileDeps(config))
  if (config.dbbackend !== 'sqlite') return
  const { file } = databasePlace(config.sqlite.databasefilename)
  const kept = keptServices(file)
  if (kept) judgeServices(config, kept, { log: silentLog })
  const passphrase = process.env['PINHOLE_SECRET']
  const secret = nodeSecret({ basedir: config.basedir, passphrase })
  for (const row of keptNodes(file)) if (row.kind === 'lnc') await openPairing(row, secret)
}
