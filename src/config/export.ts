/** A configuration as YAML that loads again: without secrets, and without what is so by default. */
import path from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { stringify } from 'yaml'
import { formatDuration } from './duration.ts'
import type { Config } from './load.ts'
import { schema } from './schema.ts'
import { HIDDEN_VALUE, service as serviceSchema } from './service-schema.ts'

const HEADER = `# What this hub runs by, services that were changed while it ran included; what is not here is as by default.
# Passwords and phrases are left out.
`

/** A header may be a key of the upstream, which is not to be shown. */
const HIDDEN_REMARK = `# Values of headers are ${HIDDEN_VALUE}: a hub refuses that, so put them in, or variables such as \${NAME}.
`

/** What names a secret and is none. */
const REFERENCE = /^(?:(?:Bearer|Basic|Token) )?\$\{[A-Za-z_]\w*\}$/

/** Keys that hold secrets, by section. */
const SECRETS = { authenticator: 'passphrase', postgres: 'password', etcd: 'password' } as const

type Tree = Record<string, unknown>

/** The YAML of `config`. */
export function exportYaml(config: Config): string {
  const { services, ...rest } = config
  const tree = changed(written(rest), written(schema.parse({})))
  delete tree['configfile']
  for (const [section, key] of Object.entries(SECRETS)) dropKey(tree, section, key)
  const { basedir } = config
  const standard = { sqlite: 'pinhole.db', admin: 'admin.macaroon' }
  if (config.sqlite.databasefilename === path.join(basedir, standard.sqlite)) {
    dropKey(tree, 'sqlite', 'databasefilename')
  }
  if (config.admin.macaroonpath === path.join(basedir, standard.admin)) {
    dropKey(tree, 'admin', 'macaroonpath')
  }
  const usual = serviceSchema.parse({})
  const standardService = written({ ...usual, auth: authOf(usual.auth) })
  const shown = services.map((service) => {
    const headers = Object.fromEntries(
      Object.entries(service.headers).map(([name, value]) => [
        name,
        REFERENCE.test(value) ? value : HIDDEN_VALUE,
      ]),
    )
    return changed(written({ ...service, headers, auth: authOf(service.auth) }), standardService)
  })
  const text = stringify(readable({ ...tree, ...(shown.length > 0 ? { services: shown } : {}) }))
  return HEADER + (text.includes(HIDDEN_VALUE) ? HIDDEN_REMARK : '') + text
}

function dropKey(tree: Tree, section: string, key: string): void {
  const below = tree[section]
  if (!isTree(below)) return
  delete below[key]
  if (Object.keys(below).length === 0) delete tree[section]
}

const authOf = (auth: Config['services'][number]['auth']): string =>
  auth.level === 'freebie' ? `freebie ${auth.free}` : auth.level

const isTree = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A copy that may be changed. */
const written = (value: object): Tree => structuredClone(value) as Tree

/** What of `tree` differs from `standard`. */
function changed(tree: Tree, standard: Tree): Tree {
  const entries = Object.entries(tree).flatMap(([key, value]): [string, unknown][] => {
    const usual = standard[key]
    if (isDeepStrictEqual(value, usual)) return []
    return [[key, isTree(value) && isTree(usual) ? changed(value, usual) : value]]
  })
  return Object.fromEntries(entries)
}

/** Durations are milliseconds once read, and want their unit to be read again. */
function readable(tree: Tree): Tree {
  const read = schema.safeParse(tree)
  for (const { path: at } of read.success ? [] : read.error.issues) {
    const holder = at
      .slice(0, -1)
      .reduce<unknown>((value, key) => Reflect.get(Object(value), key), tree)
    const key = at.at(-1)
    if (typeof holder !== 'object' || holder === null || key === undefined) continue
    const value: unknown = Reflect.get(holder, key)
    if (typeof value === 'number') Reflect.set(holder, key, formatDuration(value))
  }
  return tree
}
