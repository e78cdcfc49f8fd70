/** The OpenAPI document, made of the contract. */
import { z } from 'zod'
import { type ErrorCode, PinholeError } from '../base/errors.ts'
import { VERSION } from '../version.ts'
import { type Operation, type OperationName, operations, REST_PREFIX } from './contract.ts'
import { refusalsOf } from './contract/refusals.ts'

type Json = Readonly<Record<string, unknown>>

let made: Json | undefined

/** OpenAPI 3.1 of the admin API. */
export function openApi(): Json {
  made ??= {
    openapi: '3.1.0',
    info: {
      title: 'Pinhole admin API',
      version: VERSION,
      description:
        'Runs a hub: services, sales, nodes. The first ten operations are those of Aperture.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    security: [{ macaroon: [] }],
    paths: paths(),
    components: {
      securitySchemes: {
        macaroon: {
          type: 'apiKey',
          in: 'header',
          name: 'Grpc-Metadata-Macaroon',
          description: 'The admin macaroon in hex, or one that was baked of it.',
        },
      },
      schemas: { Failure: FAILURE },
    },
  }
  return made
}

const FAILURE = {
  type: 'object',
  required: ['code', 'message', 'details'],
  properties: {
    code: { type: 'integer', description: 'A gRPC status code.' },
    message: { type: 'string' },
    details: { type: 'array' },
    error: { type: 'string', description: 'A code of docs/errors.md.' },
    advice: { type: 'string' },
    docs: { type: 'string' },
  },
}

const isOperation = (name: string): name is OperationName => Object.hasOwn(operations, name)

function paths(): Json {
  const found: Record<string, Record<string, unknown>> = {}
  for (const name of Object.keys(operations).filter(isOperation)) {
    const operation: Operation = operations[name]
    const path = REST_PREFIX + operation.path
    found[path] = { ...found[path], [operation.method.toLowerCase()]: described(name, operation) }
  }
  return found
}

function described(operationId: OperationName, operation: Operation): Json {
  const { scope, summary, method, path, request, response, answer = 'json' } = operation
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name)
  const { properties, required } = requestOf(request)
  const others = Object.entries(properties).filter(([name]) => !inPath.includes(name))
  const inBody = method !== 'GET' && method !== 'DELETE'
  const parameters = [
    ...inPath.map((name) => parameter('path', name, inSegment(properties[name]), true)),
    ...(inBody ? [] : others).map(([name, schema]) =>
      parameter('query', name, schema, required.includes(name)),
    ),
  ]
  const body = {
    type: 'object',
    properties: Object.fromEntries(others),
    required: required.filter((name) => !inPath.includes(name)),
    additionalProperties: false,
  }
  return {
    operationId,
    summary,
    description: scope === 'none' ? 'Needs no macaroon.' : `Needs the scope ${scope}.`,
    parameters,
    ...(inBody && others.length > 0
      ? { requestBody: { required: body.required.length > 0, content: json(body) } }
      : {}),
    responses: {
      200: { description: 'Done.', content: contentOf(answer, response) },
      ...refused(refusalsOf(operationId, scope !== 'none')),
    },
    ...(scope === 'none' ? { security: [] } : {}),
  }
}

/** The answers of refused requests, by status. */
function refused(codes: readonly ErrorCode[]): Json {
  const statusOf = (code: ErrorCode) => new PinholeError(code, '').status
  return Object.fromEntries(
    [...new Set(codes.map(statusOf))].map((status) => [
      status,
      {
        description: `Refused: ${codes.filter((code) => statusOf(code) === status).join(', ')}.`,
        ...(status === 429 || status === 503 ? { headers: RETRY_AFTER } : {}),
        content: json({ $ref: '#/components/schemas/Failure' }),
      },
    ]),
  )
}

const RETRY_AFTER = {
  'Retry-After': {
    description: 'When to come back, in seconds, where that is known.',
    schema: { type: 'integer', minimum: 1 },
  },
}

const parameter = (where: string, name: string, schema: unknown, required: boolean): Json => ({
  in: where,
  name,
  required,
  schema,
})

/** A segment of a path is never empty. */
const inSegment = (schema: unknown): Json => {
  const known = isRecord(schema) ? schema : { type: 'string' }
  return known['type'] === 'string' ? { minLength: 1, ...known } : known
}

const json = (schema: Json): Json => ({ 'application/json': { schema } })

function contentOf(answer: NonNullable<Operation['answer']>, response: z.ZodType): Json {
  if (answer === 'json') return json(schemaOf(response, 'output'))
  const types = {
    csv: 'text/csv',
    yaml: 'application/yaml',
    text: 'text/plain',
    events: 'text/event-stream',
  }
  const type = types[answer]
  // A reader of YAML has what it says, not its text.
  return { [type]: { schema: { type: answer === 'yaml' ? 'object' : 'string' } } }
}

function requestOf(request: z.ZodType): {
  readonly properties: Readonly<Record<string, unknown>>
  readonly required: readonly string[]
} {
  const { properties, required } = schemaOf(request, 'input')
  return {
    properties: isRecord(properties) ? properties : {},
    required: Array.isArray(required) ? required.filter((name) => typeof name === 'string') : [],
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null

/** A transformation of text is text as far as the document can tell. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const made: Record<string, unknown> = z.toJSONSchema(schema, {
    io,
    target: 'draft-2020-12',
    unrepresentable: 'any',
    override({ zodSchema, jsonSchema }) {
      if (io === 'output' && zodSchema._zod.def.type === 'transform') jsonSchema.type = 'string'
    },
  })
  // The document says its dialect once.
  delete made.$schema
  return made
}
