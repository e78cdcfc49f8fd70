/** `~` and `$VAR` in the paths of a configuration. */
import path from 'node:path'

/** What paths are expanded with. */
export interface Surroundings {
  readonly home: string
  readonly env: Readonly<Record<string, string | undefined>>
}

/** A path with `~`, `$VAR` and `${VAR}` filled in, or the name of a variable that is not set. */
export type Expansion = { readonly path: string } | { readonly missing: string }

/** Expands `given`; an empty path stays empty. */
export function expandPath(given: string, { home, env }: Surroundings): Expansion {
  let missing: string | undefined
  const filled = given.replaceAll(/\$(?:(\w+)|\{(\w+)\})/g, (_, bare?: string, braced?: string) => {
    const name = bare ?? braced ?? ''
    const value = env[name]
    if (value === undefined) missing ??= name
    return value ?? ''
  })
  if (missing !== undefined) return { missing }
  if (filled === '~') return { path: home }
  return { path: /^~[/\\]/.test(filled) ? path.join(home, filled.slice(2)) : filled }
}
