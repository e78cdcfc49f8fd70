/** The OpenAPI document by itself. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { operations, REST_PREFIX } from '../../src/admin/contract.ts'
import { openApi } from '../../src/admin/openapi.ts'
import { adminHub } from './hub.ts'

const document = openApi()

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null
const members = (value: unknown): readonly (readonly [string, unknown])[] =>
  isObject(value) ? Object.entries(value) : []
const member = (value: unknown, name: string): unknown =>
  members(value).find(([one]) => one === name)?.[1]

/** What `pointer` (RFC 6901, `#/…`) leads to. */
const at = (pointer: string): unknown =>
  pointer
    .slice(2)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>(member, document)

/** Every value in it that is an object, with those inside. */
function* objects(value: unknown): Generator<object> {
  if (!isObject(value)) return
  yield value
  for (const [, inner] of members(value)) yield* objects(inner)
}

test('every operation of the contract is in it, once, and nothing else', () => {
  const found = members(at('#/paths')).flatMap(([path, methods]) =>
    members(methods).map(([method, described]) => [
      member(described, 'operationId'),
      `${method.toUpperCase()} ${path}`,
    ]),
  )
  const expected = Object.entries(operations).map(([name, { method, path }]) => [
    name,
    `${method} ${REST_PREFIX}${path}`,
  ])
  assert.deepEqual(found.sort(), expected.sort())
})

test('every reference leads somewhere', () => {
  const references = [...objects(document)].flatMap((one) =>
    '$ref' in one && typeof one.$ref === 'string' ? [one.$ref] : [],
  )
  assert.ok(references.length > 0)
  for (const reference of references) assert.ok(isObject(at(reference)), reference)
})

const TYPES = ['object', 'array', 'string', 'number', 'integer', 'boolean', 'null']

test('every schema says a type that there is, and requires only what it describes', () => {
  const schemas = [...objects(document)].flatMap((one) => ('schema' in one ? [one.schema] : []))
  assert.ok(schemas.length > Object.keys(operations).length)
  for (const schema of schemas.flatMap((one) => [...objects(one)])) {
    if ('type' in schema && typeof schema.type === 'string') assert.ok(TYPES.includes(schema.type))
    if (!('required' in schema) || !Array.isArray(schema.required)) continue
    const described = members(member(schema, 'properties')).map(([name]) => name)
    assert.deepEqual(
      schema.required.filter((name: unknown) => !described.includes(String(name))),
      [],
    )
  }
})

test('every parameter of a path is described, and required', () => {
  for (const [path, methods] of members(at('#/paths'))) {
    const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
    for (const [, described] of members(methods)) {
      const parameters = members(member(described, 'parameters')).map(([, one]) => one)
      const inPath = parameters.filter((one) => member(one, 'in') === 'path')
      assert.deepEqual(
        inPath.map((one) => member(one, 'name')),
        named,
      )
      assert.ok(inPath.every((one) => member(one, 'required') === true))
    }
  }
})

test('it can be read as JSON without loss', () => {
  assert.deepEqual(JSON.parse(JSON.stringify(document)), document)
})

test('an operation says by which statuses it is refused, and no more', () => {
  const statuses = (path: string, method: string) =>
    members(at(`#/paths/${path.replaceAll('/', '~1')}/${method}/responses`)).map(([name]) => name)
  assert.deepEqual(statuses('/api/admin/health', 'get'), ['200', '400', '403', '500'])
  const guarded = ['200', '400', '401', '403', '429', '500']
  assert.deepEqual(statuses('/api/admin/info', 'get'), guarded)
  assert.ok(statuses('/api/admin/services', 'post').includes('409'))
  assert.ok(statuses('/api/admin/nodes/{name}/test', 'post').includes('501'))
})

test('a wrong method draws those that there are, whatever its body; a body that is no object is refused', async (t) => {
  const { url, macaroon, call } = await adminHub(t)
  const headers = { 'grpc-metadata-macaroon': macaroon }
  const draw = async (method: string, path: string) => {
    const body = method === 'QUERY' || method === 'PUT' ? 'none' : undefined
    const { status, headers: said } = await fetch(`${url}${REST_PREFIX}${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body }),
    })
    return `${status} ${said.get('allow')}`
  }
  assert.equal(await draw('QUERY', '/info'), '405 GET, OPTIONS')
  assert.equal(await draw('PUT', '/services'), '405 GET, POST, OPTIONS')
  assert.equal(await draw('DELETE', '/tokens/decode'), '405 POST, OPTIONS')
  assert.equal(await draw('GET', '/services/x/try'), '405 POST, OPTIONS')
  assert.equal(await draw('OPTIONS', '/services/x'), '204 PUT, DELETE, GET, OPTIONS')
  assert.equal(await draw('GET', '/none'), '404 null')
  assert.equal((await call('POST', '/tokens/decode', null)).status, 400)
  assert.equal(
    (await call('GET', `/services/${'long'.repeat(500)}`)).body['error'],
    'ERR_ADMIN_NOT_FOUND',
  )
})
