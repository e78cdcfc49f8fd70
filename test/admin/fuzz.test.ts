/** The admin API given what nobody would send: it always says why not, and goes on. */
import assert from 'node:assert/strict'
import http2 from 'node:http2'
import test, { type TestContext } from 'node:test'
import { fromBinary } from '@bufbuild/protobuf'
import { z } from 'zod'
import fc from '../fast-check.ts'
import { operations, REST_PREFIX } from '../../src/admin/contract.ts'
import { Admin } from '../../src/admin/gen/admin_pb.ts'
import { bakeAdminMacaroon } from '../../src/admin/key-files.ts'
import { fromHex, toHex } from '../../src/base/bytes.ts'
import { ERROR_CODES, GrpcCode } from '../../src/base/errors.ts'
import { type AdminHub, adminHub } from './hub.ts'

const RUNS = 200
const MACAROON_RUNS = 60

const Failure = z.strictObject({
  code: z.int().min(1).max(16),
  message: z.string().min(1),
  details: z.tuple([]),
  error: z.enum(ERROR_CODES as [string, ...string[]]),
  advice: z.string(),
  docs: z.string(),
})

/** These ask other machines, copy the database, or have no end. */
const OUTWARD = ['backup', 'pairNode', 'tryService', 'testUpstream', 'runDoctor', 'streamEvents']
const INWARD = Object.entries(operations)
  .filter(([name]) => !OUTWARD.includes(name))
  .map(([, operation]) => operation)

const hostileText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(
    ...['', '\0', '../..', '%', '{}', 'null', '__proto__', "' OR 1=1 --", '\u202e', '(a+)+$', '-0'],
    ...['9223372036854775808', '1e999', 'NaN', '2026-02-30T00:00:00Z', 'a'.repeat(5_000)],
  ),
)
const hostileValue = fc.oneof(
  { weight: 3, arbitrary: hostileText },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
  fc.double(),
  fc.constantFrom(true, -1, 2 ** 53, Number.MAX_VALUE, [], {}, [null], { a: { b: [] } }),
)

/** A request of one operation: its fields with values of any kind, and others. */
const request = fc.constantFrom(...INWARD).chain((operation) => {
  const names = Object.keys(z.object(operation.request.shape).shape)
  const name = names.length === 0 ? fc.string() : fc.constantFrom(...names, '__proto__', 'x')
  const fields = fc.dictionary(name, hostileValue, { maxKeys: 5 })
  const parameters = fc.dictionary(fc.constantFrom('name', 'id', 'token_id'), hostileText)
  const method = fc.oneof(
    { weight: 8, arbitrary: fc.constant<string>(operation.method) },
    fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'),
  )
  const body = fc.oneof(
    { weight: 6, arbitrary: fields.map((value) => JSON.stringify(value)) },
    fc.jsonValue().map((value) => JSON.stringify(value)),
    hostileText,
  )
  const type = fc.constantFrom(
    'application/json',
    'text/plain',
    'application/grpc',
    'x',
    'a/b; c=d',
  )
  return fc.record({ operation: fc.constant(operation), parameters, fields, method, body, type })
})

const wellFormed = (text: string) => Buffer.from(text).toString()
const shown = (value: unknown): string =>
  typeof value === 'string' ? value : (JSON.stringify(value) ?? '')

/** That an answer is no fault of the hub's, and says what is wrong where something is. */
async function checkAnswer(answer: Response, method: string): Promise<void> {
  const text = await answer.text()
  if (answer.status < 400 || method === 'HEAD') return void assert.ok(answer.status < 500)
  const { error, code } = Failure.parse(JSON.parse(text))
  if (answer.status >= 500) assert.equal(error, 'ERR_ADMIN_OPERATION', text)
  assert.notEqual(code, GrpcCode.internal, text)
}

async function stillAnswers({ call }: AdminHub): Promise<void> {
  assert.equal((await call('GET', '/info')).status, 200)
  assert.equal((await call('GET', '/services')).status, 200)
}

test('no request of the REST face is answered with a fault', async (t) => {
  const hub = await adminHub(t)
  await fc.assert(
    fc.asyncProperty(request, async ({ operation, parameters, fields, method, body, type }) => {
      const path = operation.path.replace(/\{(\w+)\}/g, (_, name: string) =>
        encodeURIComponent(wellFormed(parameters[name] ?? '1')),
      )
      const query = new URLSearchParams(
        Object.entries(fields).map(([name, value]): [string, string] => [name, shown(value)]),
      )
      const bare = method === 'GET' || method === 'HEAD'
      const answer = await fetch(`${hub.url}${REST_PREFIX}${path}?${query.toString()}`, {
        method,
        headers: {
          'Grpc-Metadata-Macaroon': hub.macaroon,
          ...(bare ? {} : { 'content-type': type }),
        },
        ...(bare ? {} : { body }),
      })
      await checkAnswer(answer, method)
    }),
    { numRuns: RUNS },
  )
  await stillAnswers(hub)
})

test('what reaches further refuses what it cannot mean before it does anything', async (t) => {
  const { call } = await adminHub(t)
  for (const name of OUTWARD) {
    const [, operation] = Object.entries(operations).find(([one]) => one === name) ?? []
    assert.ok(operation)
    const path = operation.path.replace('{name}', '%00')
    for (const query of ['?nothing=1', '?__proto__=1', '?constructor=x&name=']) {
      const sent = UNREADABLE[operation.method]
      const { status, body } = await call(operation.method, path + query, sent)
      const { error } = Failure.parse(body)
      if (error !== 'ERR_ADMIN_OPERATION') assert.equal(status, 400, `${name} ${error}`)
    }
  }
})

const UNREADABLE: Readonly<Record<string, unknown>> = { POST: { nothing: [] } }

/** Macaroons that are none, or not the hub's, or not whole; and a good one with caveats of any kind. */
function macaroons(good: string): fc.Arbitrary<string> {
  const bytes = fromHex(good) ?? new Uint8Array()
  const flipped = fc
    .record({ at: fc.nat(bytes.length - 1), bit: fc.nat(7) })
    .map(({ at, bit }) => toHex(bytes.map((byte, n) => (n === at ? byte ^ (1 << bit) : byte))))
  const strange = fc
    .array(fc.string({ unit: 'binary', maxLength: 60 }), { minLength: 1, maxLength: 70 })
    .map((caveats) => toHex(bakeAdminMacaroon(new Uint8Array(32), caveats.map(wellFormed))))
  return fc.oneof(
    flipped,
    strange,
    fc.nat(bytes.length - 1).map((length) => good.slice(0, 2 * length)),
    fc.uint8Array({ maxLength: 200 }).map((more) => good + toHex(more) + '00'),
    fc.uint8Array({ maxLength: 9_000 }).map((random) => toHex(random)),
    fc.string({ unit: fc.constantFrom(...'0123456789abcdefABCDEF gz,=%+/') }),
  )
}

/** A hub that takes every request for one of another client, so that none is told to wait. */
async function openHub(t: TestContext): Promise<AdminHub> {
  return adminHub(t, { trustproxy: ['127.0.0.1'] })
}

const elsewhere = fc.ipV4()

test('no macaroon that is not good opens anything by REST', async (t) => {
  const hub = await openHub(t)
  await fc.assert(
    fc.asyncProperty(macaroons(hub.macaroon), elsewhere, async (macaroon, address) => {
      const headers = { 'Grpc-Metadata-Macaroon': macaroon, 'X-Forwarded-For': address }
      const answer = await fetch(`${hub.url}${REST_PREFIX}/info`, { headers })
      // The location of a macaroon is not signed.
      if (answer.status === 200 && isGood(macaroon, hub.macaroon)) return void (await answer.text())
      assert.equal(answer.status, 401)
      await checkAnswer(answer, 'GET')
    }),
    { numRuns: MACAROON_RUNS },
  )
  await stillAnswers(hub)
})

/** What stands behind the location: the identifier `admin`, the ends of two sections, the signature. */
const SIGNED_BYTES = 2 + 5 + 2 + 2 + 32

/** Whether all but the location is as it was. */
function isGood(macaroon: string, good: string): boolean {
  const signed = (hex: string) =>
    hex
      .trim()
      .toLowerCase()
      .slice(-2 * SIGNED_BYTES)
  return signed(macaroon) === signed(good)
}

interface Called {
  readonly status: number
  readonly grpcStatus: number
}

async function callGrpc(
  session: http2.ClientHttp2Session,
  path: string,
  headers: http2.OutgoingHttpHeaders,
  body: Uint8Array,
): Promise<Called> {
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  })
  let fields: http2.IncomingHttpHeaders = {}
  stream.on('response', (head) => (fields = { ...fields, ...head }))
  stream.on(
    'trailers',
    (trailers: http2.IncomingHttpHeaders) => (fields = { ...fields, ...trailers }),
  )
  stream.on('error', () => {})
  stream.resume().end(body)
  await new Promise<void>((resolve) => stream.once('close', () => resolve()))
  return { status: Number(fields[':status']), grpcStatus: Number(fields['grpc-status']) }
}

function connect(t: TestContext, url: string): http2.ClientHttp2Session {
  const session = http2.connect(url)
  t.after(() => session.destroy())
  return session
}

const framed = (message: Uint8Array): Uint8Array => {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}

/** What a hub may answer to what it can read; never that it failed by itself, nor that it does not know. */
const SAYABLE: readonly number[] = [
  ...[0, GrpcCode.invalidArgument, GrpcCode.notFound, GrpcCode.alreadyExists],
  ...[GrpcCode.unimplemented],
]
/** What gRPC says of bytes that are no message. */
const UNREAD: readonly number[] = [
  ...[GrpcCode.internal, GrpcCode.invalidArgument],
  ...[GrpcCode.resourceExhausted, GrpcCode.unimplemented],
]

function isMessage(name: string, bytes: Uint8Array): boolean {
  const method = Admin.methods.find((one) => one.name === name)
  if (!method || bytes.length < 5 || bytes[0] !== 0) return false
  if (Buffer.from(bytes).readUInt32BE(1) !== bytes.length - 5) return false
  try {
    fromBinary(method.input, bytes.subarray(5))
    return true
  } catch {
    return false
  }
}

test('no message of the gRPC face is answered with a fault', async (t) => {
  const hub = await adminHub(t)
  const session = connect(t, hub.url)
  const names = [...Admin.methods.map(({ name }) => name), 'None', '%00']
  const fields = fc.uint8Array({ maxLength: 120 })
  const body = fc.oneof(
    fields.map(framed),
    fields.map((some) => Uint8Array.from(some)),
  )
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...names), body, async (name, bytes) => {
      const path = `/${Admin.typeName}/${name}`
      const { status, grpcStatus } = await callGrpc(
        session,
        path,
        { macaroon: hub.macaroon },
        bytes,
      )
      assert.equal(status, 200)
      const said = isMessage(name, bytes) ? SAYABLE : UNREAD
      assert.ok(said.includes(grpcStatus), `${name}: ${grpcStatus} to ${toHex(bytes)}`)
    }),
    { numRuns: RUNS },
  )
  await stillAnswers(hub)
})

test('no macaroon that is not good opens anything by gRPC', async (t) => {
  const hub = await openHub(t)
  const session = connect(t, hub.url)
  const path = `/${Admin.typeName}/GetInfo`
  await fc.assert(
    fc.asyncProperty(macaroons(hub.macaroon), elsewhere, async (macaroon, address) => {
      const headers = { macaroon, 'x-forwarded-for': address }
      const { grpcStatus } = await callGrpc(session, path, headers, framed(new Uint8Array()))
      if (grpcStatus !== 0) assert.equal(grpcStatus, GrpcCode.unauthenticated)
      else assert.ok(isGood(macaroon, hub.macaroon))
    }),
    { numRuns: MACAROON_RUNS },
  )
  await stillAnswers(hub)
})
