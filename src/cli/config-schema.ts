/** The JSON Schema of the configuration: types from the schema that loading uses, words and defaults from the sample. */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { isMap, isScalar, isSeq, parseDocument, type YAMLMap } from 'yaml'
import { z } from 'zod'
import { OTHER_SPELLINGS, schema } from '../config/schema.ts'

/** A JSON Schema, or a part of one. */
export type JsonSchema = Record<string, unknown>

/** Of `pinhole.yaml`, in the 2020-12 dialect. */
export function configSchema(): JsonSchema {
  const whole: JsonSchema = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
  loosen(whole)
  const { contents } = parseDocument(readSample())
  if (isMap(contents)) describe(whole, contents, true)
  for (const [section, names] of Object.entries(OTHER_SPELLINGS)) respell(whole, section, names)
  const { $schema, ...rest } = whole
  return { $schema, title: 'Configuration of Pinhole', ...rest }
}

/** The sample with its example of a service no longer a comment. */
function readSample(): string {
  // The sources lie two folders below the sample, the build three.
  const places = ['../..', '../../..'].map((up) =>
    path.join(import.meta.dirname, up, 'sample-conf.yaml'),
  )
  const file = places.find((place) => existsSync(place))
  const sample = file === undefined ? '' : readFileSync(file, 'utf8')
  return sample.replace('services: []', 'services:').replaceAll(/^#( {2,}.*)$/gm, '$1')
}

const isSchema = (value: unknown): value is JsonSchema =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const below = (value: unknown): JsonSchema[] =>
  isSchema(value) ? Object.values(value).filter(isSchema) : []

/** Text may be written as any scalar; defaults are said in the words of the sample. */
function loosen(part: JsonSchema): void {
  delete part.default
  if (part.type === 'string' && part.enum === undefined) part.type = ['string', 'number', 'boolean']
  for (const one of [...below(part.properties), ...[part.items].filter(isSchema)]) loosen(one)
  if (isSchema(part.additionalProperties)) loosen(part.additionalProperties)
}

function describe(part: JsonSchema, map: YAMLMap, withDefaults: boolean): void {
  for (const [index, { key, value }] of map.items.entries()) {
    const property = isScalar(key) ? propertyOf(part, String(key.value)) : undefined
    if (!isScalar(key) || !property) continue
    const words = key.commentBefore ?? (index === 0 ? map.commentBefore : undefined)
    const description = lastParagraph(words ?? '')
    if (description !== '') property.description = description
    describeValue(property, value, withDefaults)
  }
}

function describeValue(property: JsonSchema, value: unknown, withDefaults: boolean): void {
  if (isScalar(value) && withDefaults) property.default = value.value
  if (isMap(value)) describe(property, value, withDefaults)
  const [first] = isSeq(value) ? value.items : []
  // What is in a list is an example.
  if (isMap(first) && isSchema(property.items)) describe(property.items, first, false)
}

function propertyOf({ properties }: JsonSchema, name: string): JsonSchema | undefined {
  const property = isSchema(properties) ? properties[name] : undefined
  return isSchema(property) ? property : undefined
}

const lastParagraph = (comment: string): string =>
  (comment.split(/\n\s*\n|\n -{10,}/).at(-1) ?? '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => !/^-+$/.test(line))
    .join(' ')
    .trim()

/** Aperture's other names of keys, which are taken too. */
function respell(
  whole: JsonSchema,
  section: string,
  names: Readonly<Record<string, string>>,
): void {
  let part: unknown = whole
  for (const step of section.split('.')) {
    if (!isSchema(part)) return
    part = step === '*' ? part.items : isSchema(part.properties) ? part.properties[step] : undefined
  }
  const properties = isSchema(part) ? part.properties : undefined
  if (!isSchema(properties)) return
  for (const [other, name] of Object.entries(names)) {
    const own = properties[name]
    if (isSchema(own)) properties[other] = { ...own, description: `The same as ${name}.` }
  }
}
