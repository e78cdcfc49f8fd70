/**
 * From file and flags to the typed, frozen configuration:
 * search ► read YAML ► lay flags over it ► schema ► paths ► rules ► freeze.
 */
import { existsSync, readFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { z } from 'zod'
import { PinholeError } from '../base/errors.ts'
import { checkKinds, OBJECT } from '../base/kinds.ts'
import { breaches } from './checks.ts'
import { readDocument } from './document.ts'
import { expandPath, type Surroundings } from './expand.ts'
import { type Flags, readFlags } from './flags.ts'
import { KEYS, SERVICE_PATHS, suggest } from './keys.ts'
import { configError, type Problem, show } from './problem.ts'
import { schema, type Values } from './schema.ts'
import { overlay, type Path, Places, type Tree } from './tree.ts'

type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T

/** The configuration: Aperture's keys, durations in milliseconds, sizes in bytes, paths expanded. */
export type Config = DeepReadonly<Values>

/** Where `loadConfig` takes values from; later ones win. */
export interface LoadOptions {
  /** Folder of configuration, certificate and state; default `$PINHOLE_BASEDIR`, then `~/.pinhole`. */
  readonly basedir?: string | undefined
  /** File to read instead of `pinhole.yaml` or `aperture.yaml` in `basedir`; `false` reads none. */
  readonly configfile?: string | false | undefined
  /** YAML in place of a file; errors call it `pinhole.yaml`. */
  readonly text?: string | undefined
  /** Keys as nested values, for hubs made by a program. Durations are Go's, as in the file. */
  readonly values?: Readonly<Record<string, unknown>> | undefined
  /** Keys as flags by their dotted names. */
  readonly flags?: Flags | undefined
  /** Home and environment for `~` and `$VAR`; the process's by default. */
  readonly surroundings?: Surroundings | undefined
}

/** Names of the file that `loadConfig` looks for in the base folder, in this order. */
export const CONFIG_FILE_NAMES = ['pinhole.yaml', 'aperture.yaml']

/**
 * Finds, reads and checks the configuration. Throws `ERR_CONFIG_FILE`, `ERR_CONFIG_SYNTAX`,
 * `ERR_CONFIG_KEY` or `ERR_CONFIG_VALUE`, whose message has a line `file:line:column: key: …` for
 * everything that is wrong.
 */
export function loadConfig(options: LoadOptions = {}): Config {
  checkKinds(options, { values: OBJECT, flags: OBJECT })
  const around = options.surroundings ?? { home: os.homedir(), env: process.env }
  const basedir = expand(
    options.basedir ?? around.env['PINHOLE_BASEDIR'] ?? path.join(around.home, '.pinhole'),
    around,
    'basedir',
  )
  const file = findFile(options.configfile, basedir, around)
  let tree: Tree = { root: {}, places: new Places() }
  if (options.text !== undefined) tree = readDocument(options.text, 'pinhole.yaml')
  else if (file !== undefined) tree = readDocument(readText(file), file)
  tree = overlay(tree, { root: { ...options.values }, places: new Places() })
  tree = overlay(tree, readFlags(options.flags ?? {}))
  // `basedir` given by the caller says where to look and wins over the one in the file.
  const given = options.basedir === undefined ? {} : { basedir }
  const config = check({ ...tree, root: { ...tree.root, ...given } }, basedir, around)
  const frozen: Config = freeze({ ...config, configfile: file ?? '' })
  PLACES.set(frozen, tree.places)
  return frozen
}

/** `config`. Throws a `TypeError` for what `loadConfig` has not made, such as values as they stand in a file. */
export function checkLoaded(config: Config): Config {
  const isLoaded = OBJECT.holds(config) && 'basedir' in config && OBJECT.holds(config.admin)
  if (isLoaded) return config
  throw new TypeError('a hub is made of what loadConfig({ values, … }) returns')
}

const PLACES = new WeakMap<Config, Places>()

/** Where the value at `path` of `config` was written, for errors that are found later: `pinhole.yaml:3:1: `. */
export function writtenAt(config: Config, path: Path): string {
  const places = PLACES.get(config)
  return places ? show(places.value(path)) : ''
}

function findFile(
  named: string | false | undefined,
  basedir: string,
  around: Surroundings,
): string | undefined {
  if (named === false) return undefined
  if (named !== undefined && named !== '') return expand(named, around, 'configfile')
  return CONFIG_FILE_NAMES.map((name) => path.join(basedir, name)).find((file) => existsSync(file))
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'
    const what = missing ? 'does not exist' : 'cannot be read'
    throw new PinholeError('ERR_CONFIG_FILE', `the configuration file ${file} ${what}`, { cause })
  }
}

function expand(given: string, around: Surroundings, key: string): string {
  const expansion = expandPath(given, around)
  if ('path' in expansion) return expansion.path
  const text = `environment variable ${expansion.missing} is not set`
  throw configError([{ code: 'ERR_CONFIG_VALUE', place: { kind: 'values' }, key, text }])
}

function check({ root, places }: Tree, basedir: string, around: Surroundings): Values {
  const read = schema.safeParse(root)
  if (!read.success) throw configError(read.error.issues.flatMap((i) => problemsOf(i, places)))
  const values = read.data
  const problems = expandPaths(values, around).concat(breaches(values))
  if (problems.length > 0) {
    throw configError(
      problems.map(({ path: at, text }) => ({
        code: 'ERR_CONFIG_VALUE',
        place: places.value(at),
        key: places.name(at),
        text,
      })),
    )
  }
  values.basedir ||= basedir
  return fillPaths(values)
}

/** `values` with the paths that lie in the base folder unless set. */
export function fillPaths(values: Values): Values {
  values.sqlite.databasefilename ||= path.join(values.basedir, 'pinhole.db')
  values.admin.macaroonpath ||= path.join(values.basedir, 'admin.macaroon')
  return values
}

function problemsOf(issue: z.core.$ZodIssue, places: Places): Problem[] {
  const at = issue.path.map((part) => (typeof part === 'symbol' ? '' : part))
  if (issue.code !== 'unrecognized_keys') {
    const place = places.value(at)
    return [{ code: 'ERR_CONFIG_VALUE', place, key: places.name(at), text: issue.message }]
  }
  return issue.keys.map((name): Problem => {
    const near = suggest(at, name)
    const text = near === undefined ? 'unknown key' : `unknown key; did you mean ${near}?`
    const here = [...at, name]
    return { code: 'ERR_CONFIG_KEY', place: places.key(here), key: places.name(here), text }
  })
}

function expandPaths(values: Values, around: Surroundings): { path: Path; text: string }[] {
  const paths: Path[] = KEYS.filter(({ leaf }) => leaf.path).map((key) => key.path)
  for (const index of values.services.keys()) {
    for (const below of SERVICE_PATHS) paths.push(['services', index, ...below])
  }
  return paths.flatMap((at) => {
    const holder = at.slice(0, -1).reduce<unknown>(child, values)
    const name = at.at(-1)
    const given = child(holder, name ?? '')
    if (typeof given !== 'string' || typeof holder !== 'object' || holder === null) return []
    const expansion = expandPath(given, around)
    if ('missing' in expansion) {
      return [{ path: at, text: `environment variable ${expansion.missing} is not set` }]
    }
    Reflect.set(holder, name ?? '', expansion.path)
    return []
  })
}

function child(holder: unknown, name: string | number): unknown {
  return typeof holder === 'object' && holder !== null ? Reflect.get(holder, name) : undefined
}

function freeze<T extends object>(value: T): T {
  for (const below of Object.values(value)) {
    if (typeof below === 'object' && below !== null) freeze(below as object)
  }
  return Object.freeze(value)
}
