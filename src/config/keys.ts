/** The schema as a list of keys, for flags, for suggestions and for the test of the sample. */
import { z } from 'zod'
import { type Leaf, leaves } from './leaves.ts'
import { nearest } from './nearest.ts'
import { OTHER_SPELLINGS, schema, sectionId } from './schema.ts'
import { service } from './service-schema.ts'
import type { Path } from './tree.ts'

/** One key that has a value of its own. */
export interface Key {
  /** Path from the top; keys of services begin after `services`. */
  readonly path: readonly string[]
  readonly leaf: Leaf
}

function unwrap(type: unknown): unknown {
  if (type instanceof z.ZodDefault || type instanceof z.ZodPrefault) return unwrap(type.unwrap())
  if (type instanceof z.ZodArray) return unwrap(type.element)
  if (type instanceof z.ZodPipe) return unwrap(type.out)
  return type
}

function walk(type: unknown, path: readonly string[]): Key[] {
  const leaf = type instanceof z.ZodType ? leaves.get(type) : undefined
  if (leaf) return [{ path, leaf }]
  const inner = unwrap(type)
  if (!(inner instanceof z.ZodObject)) return []
  return Object.entries(inner.shape).flatMap(([name, below]) => walk(below, [...path, name]))
}

/** Every key outside `services`, in the order of the schema. */
export const KEYS: readonly Key[] = walk(schema, []).filter(({ path }) => path[0] !== 'services')

/** Keys of a service that name a file, relative to the service. */
export const SERVICE_PATHS: readonly (readonly string[])[] = walk(service, [])
  .filter(({ leaf }) => leaf.path)
  .map(({ path }) => path)

/** Names that a key may have in the section at `path`. */
export function namesAt(path: Path): readonly string[] {
  let type: unknown = schema
  for (const part of path) {
    const inner = unwrap(type)
    if (typeof part === 'string') {
      type =
        inner instanceof z.ZodObject ? (inner.shape as Record<string, unknown>)[part] : undefined
    }
  }
  const inner = unwrap(type)
  return inner instanceof z.ZodObject ? Object.keys(inner.shape) : []
}

/** The key that an unknown `name` in the section at `path` was probably meant to be. */
export function suggest(path: Path, name: string): string | undefined {
  const others = Object.keys(OTHER_SPELLINGS[sectionId(path)] ?? {})
  const near = nearest(name, [...namesAt(path), ...others])
  if (near !== undefined) return near
  return KEYS.find((key) => key.path.at(-1) === name.toLowerCase())?.path.join('.')
}

/** All dotted names by which the command line may call `key`: its own first, then Aperture's. */
export function flagNames({ path }: Key): string[] {
  const section = path.slice(0, -1).join('.')
  const others = Object.entries(OTHER_SPELLINGS[section] ?? {})
    .filter(([, name]) => name === path.at(-1))
    .map(([other]) => other)
  return [path.at(-1) ?? '', ...others].map((name) => (section ? `${section}.${name}` : name))
}
