import { isDeepStrictEqual } from 'node:util'
import { type Config, fillPaths } from './load.ts'
import { schema } from './schema.ts'
import { isMap } from './tree.ts'

/** Sections and keys that are checked and kept, but that nothing in this version acts on. */
const PENDING: readonly (readonly string[])[] = [
  ['authenticator', 'wavelengthgateway'],
  ['authenticator', 'enablempp'],
  ['authenticator', 'enablesessions'],
  ['dbbackend'],
  ['postgres'],
  ['etcd'],
  ['tor'],
]

const at = (values: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>((value, name) => (isMap(value) ? value[name] : undefined), values)

/** Names of what `config` sets although this version does not act on it yet. */
export function pendingSections(config: Config): string[] {
  const { basedir } = config
  // Paths that loading fills in are no wish of the user's.
  const standard = fillPaths({ ...schema.parse({}), basedir })
  return PENDING.filter((path) => !isDeepStrictEqual(at(config, path), at(standard, path))).map(
    (path) => path.join('.'),
  )
}
