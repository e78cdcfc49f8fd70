/** Names of nodes. */

/** The node that is paired by `authenticator.passphrase`. */
export const CONFIGURED_NODE = 'default'

/** The node of `authenticator.lndhost`; no paired node may have this name. */
export const DIRECT_NODE = 'lnd'

const NAME = /^[a-z0-9][a-z0-9._-]{0,31}$/

/** Whether a node may be called so: it stands in configurations, commands and metrics. */
export const isNodeName = (name: string): boolean => NAME.test(name) && name !== DIRECT_NODE

/** A name made of an alias, that is none of `taken`; `default` where nothing is left of it. */
export function nameFromAlias(alias: string, taken: (name: string) => boolean): string {
  const slug = alias
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replace(/^-+/, '')
    .slice(0, MAX_SLUG_LENGTH)
    .replace(/-+$/, '')
  const base = slug === '' ? CONFIGURED_NODE : slug
  const free = (name: string) => isNodeName(name) && !taken(name)
  if (free(base)) return base
  let number = 2
  while (!free(`${base}-${number}`)) number++
  return `${base}-${number}`
}

/** Room for a number behind it. */
const MAX_SLUG_LENGTH = 24
