import { isDeepStrictEqual } from 'node:util'
import type { Config } from './load.ts'
import { schema } from './schema.ts'

/** Sections and keys that are checked and kept, but that nothing in this version acts on. */
const PENDING = [
  'services',
  'authenticator',
  'dbbackend',
  'sqlite',
  'postgres',
  'etcd',
  'tor',
  'admin',
  'servestatic',
  'profile',
  'strictverify',
  'invoicebatchsize',
] as const satisfies readonly (keyof Config)[]

/** Names of what `config` sets although this version does not act on it yet. */
export function pendingSections(config: Config): string[] {
  const standard = schema.parse({})
  const plain = { ...config, ...unresolved(config) }
  return PENDING.filter((name) => !isDeepStrictEqual({ ...plain }[name], standard[name]))
}

/** Paths that loading fills in are no wish of the user's. */
function unresolved(config: Config): Partial<Config> {
  const own = (file: string, name: string) => (file === `${config.basedir}/${name}` ? '' : file)
  return {
    sqlite: {
      ...config.sqlite,
      databasefilename: own(config.sqlite.databasefilename, 'pinhole.db'),
    },
    admin: { ...config.admin, macaroonpath: own(config.admin.macaroonpath, 'admin.macaroon') },
  }
}
