/** What the commands about nodes work on: the configuration's database and the secret of its nodes. */
import { systemClock } from '../base/clock.ts'
import { type Config, loadConfig } from '../config/load.ts'
import { nodeSecret, type NodeSecret } from '../nodes/secret.ts'
import type { NodeRows } from '../store/node-rows.ts'
import { databasePlace } from '../store/aperture/beside.ts'
import { openStore } from '../store/store.ts'
import type { CommonOptions } from './command.ts'

/** Options that say which hub is meant. */
export interface HubOptions extends CommonOptions {
  readonly configfile?: string
}

/** The stored nodes of a hub. */
export interface StoredNodes {
  readonly config: Config
  readonly rows: NodeRows
  readonly secret: NodeSecret
}

/** Runs `action` on the stored nodes of a hub, which may be running. */
export async function withStoredNodes<T>(
  { basedir, configfile }: HubOptions,
  action: (nodes: StoredNodes) => Promise<T>,
): Promise<T> {
  const config = loadConfig({ basedir, configfile })
  const { databasefilename, skipmigrations } = config.sqlite
  const { file } = databasePlace(databasefilename)
  const store = openStore(file, { clock: systemClock, skipMigrations: skipmigrations })
  const passphrase = process.env['PINHOLE_SECRET']
  try {
    const stored = () => store.nodes.list()
    const secret = nodeSecret({ basedir: config.basedir, passphrase, stored })
    return await action({ config, rows: store.nodes, secret })
  } finally {
    await store.close()
  }
}
