/** The gRPC face, called by grpc-js at the hub's own port, as Aperture's clients call theirs. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import test, { type TestContext } from 'node:test'
import {
  create,
  type DescMessage,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf'
import grpc from '@grpc/grpc-js'
import { bakeMacaroon } from '../../src/admin/bake.ts'
import { Admin, AuthScheme } from '../../src/admin/gen/admin_pb.ts'
import { fromHex, toHex } from '../../src/base/bytes.ts'
import { type AdminHub, adminHub } from './hub.ts'

const { method } = Admin
const WEATHER = { name: 'weather', address: '127.0.0.1:9', pathRegexp: '^/weather', price: 5n }
const RELAY = { hashmail: { enabled: true } }
const HASH = 'ab'.repeat(32)

/** Calls a method by macaroon (hex), or without one. */
type Ask = <I extends DescMessage, O extends DescMessage>(
  method: DescMethodUnary<I, O>,
  request?: MessageInitShape<I>,
  macaroon?: string,
) => Promise<MessageShape<O>>

function client(t: TestContext, { url, basedir, macaroon: own }: AdminHub): Ask {
  const { protocol, port } = new URL(url)
  const credentials =
    protocol === 'https:'
      ? grpc.credentials.createSsl(readFileSync(path.join(basedir, 'tls.cert')))
      : grpc.credentials.createInsecure()
  const connection = new grpc.Client(`localhost:${port}`, credentials)
  t.after(() => connection.close())
  return (one, request, macaroon = own) => {
    const metadata = new grpc.Metadata()
    if (macaroon !== '') metadata.set('macaroon', macaroon)
    return new Promise((resolve, reject) => {
      connection.makeUnaryRequest(
        `/${one.parent.typeName}/${one.name}`,
        (message: MessageShape<typeof one.input>) => Buffer.from(toBinary(one.input, message)),
        (bytes) => fromBinary(one.output, Uint8Array.from(bytes)),
        create(one.input, request),
        metadata,
        (error, value) =>
          error || !value ? reject(error ?? new Error('no value')) : resolve(value),
      )
    })
  }
}

/** That a call is refused so. */
async function refused(call: Promise<unknown>, code: grpc.status, details: string): Promise<void> {
  await assert.rejects(call, (error: grpc.ServiceError) => {
    assert.deepEqual([error.code, error.details], [code, details])
    return true
  })
}

for (const insecure of [true, false]) {
  test(`all ten methods are called, ${insecure ? 'in cleartext' : 'by TLS'}`, async (t) => {
    const ask = client(
      t,
      await adminHub(t, { insecure, ...RELAY, authenticator: { network: 'simnet' } }),
    )

    assert.equal((await ask(method.getHealth, {}, '')).status, 'ok')
    const info = await ask(method.getInfo)
    assert.deepEqual(
      [info.network, info.listenAddr, info.insecure, info.mppEnabled],
      ['simnet', '127.0.0.1:0', insecure, false],
    )

    const made = await ask(method.createService, WEATHER)
    assert.deepEqual(
      { ...made, $typeName: '' },
      {
        ...{ $typeName: '', ...WEATHER, protocol: 'http', hostRegexp: '.*' },
        ...{ auth: 'on', authScheme: AuthScheme.L402 },
      },
    )
    const changed = await ask(method.updateService, { name: 'weather', price: 0n, auth: 'off' })
    assert.deepEqual(changed, { ...made, price: 1n, auth: 'off' })
    assert.deepEqual((await ask(method.listServices)).services, [changed])

    const { transactions, totalCount } = await ask(method.listTransactions, { state: 'settled' })
    assert.deepEqual([transactions, totalCount], [[], 0n])
    assert.deepEqual((await ask(method.listTokens)).tokens, [])
    await refused(
      ask(method.revokeToken, { tokenId: HASH }),
      grpc.status.NOT_FOUND,
      'token not found',
    )
    const stats = await ask(method.getStats)
    assert.deepEqual([stats.totalRevenueSats, stats.transactionCount], [0n, 0n])

    assert.equal((await ask(method.deleteService, { name: 'weather' })).status, 'deleted')
    assert.deepEqual((await ask(method.listServices)).services, [])
  })
}

test('what is refused has the code and the text that Aperture gives', async (t) => {
  const hub = await adminHub(t)
  const ask = client(t, hub)
  await ask(method.createService, WEATHER)
  const { INVALID_ARGUMENT, NOT_FOUND, ALREADY_EXISTS, UNAUTHENTICATED } = grpc.status

  await refused(ask(method.getInfo, {}, ''), UNAUTHENTICATED, 'missing macaroon')
  await refused(ask(method.getInfo, {}, 'xx'), UNAUTHENTICATED, 'invalid macaroon encoding')
  await refused(ask(method.getInfo, {}, '00'), UNAUTHENTICATED, 'invalid macaroon')
  const forged = hub.macaroon.replace(/..$/, (last) => (last === '00' ? '01' : '00'))
  await refused(ask(method.getInfo, {}, forged), UNAUTHENTICATED, 'macaroon verification failed')

  await refused(ask(method.createService, {}), INVALID_ARGUMENT, 'name is required')
  await refused(ask(method.createService, { name: 'x' }), INVALID_ARGUMENT, 'address is required')
  await refused(ask(method.createService, WEATHER), ALREADY_EXISTS, 'service already exists')
  await refused(ask(method.updateService, {}), INVALID_ARGUMENT, 'missing service name')
  await refused(ask(method.updateService, { name: 'x' }), NOT_FOUND, 'service not found')
  await refused(ask(method.deleteService, { name: 'x' }), NOT_FOUND, 'service not found')
  const priced = ask(method.updateService, { name: 'weather', price: -1n })
  await refused(priced, INVALID_ARGUMENT, 'price must be >= 0')
  const paged = ask(method.listTransactions, { offset: -1 })
  await refused(paged, INVALID_ARGUMENT, 'offset must be >= 0')
  const odd = ask(method.listTransactions, { state: 'odd' })
  await refused(odd, INVALID_ARGUMENT, `invalid state "odd", must be 'pending' or 'settled'`)
  await refused(ask(method.revokeToken, { tokenId: 'no' }), INVALID_ARGUMENT, 'invalid token ID')
})

test('a macaroon that was narrowed opens what is left of it', async (t) => {
  const hub = await adminHub(t)
  const ask = client(t, hub)
  const admin = fromHex(hub.macaroon)
  assert.ok(admin)
  const read = toHex(bakeMacaroon(admin, { scopes: ['read'], addresses: ['127.0.0.1', '::1'] }))
  assert.deepEqual((await ask(method.listServices, {}, read)).services, [])
  const text = 'the macaroon lacks the scope write'
  const made = ask(method.createService, WEATHER, read)
  await refused(made, grpc.status.PERMISSION_DENIED, text)
  const elsewhere = toHex(bakeMacaroon(admin, { addresses: ['192.0.2.1'] }))
  const asked = ask(method.getInfo, {}, elsewhere)
  const unmet = /^macaroon verification failed: its caveat "address = 192.0.2.1" does not hold now/
  await assert.rejects(asked, { code: grpc.status.UNAUTHENTICATED, details: unmet })
})

test('a broad service gets nothing of the admin API, and the admin API nothing of the relay', async (t) => {
  const services = [{ name: 'all', address: '127.0.0.1:9', auth: 'on', price: 1 }]
  const ask = client(t, await adminHub(t, { services, ...RELAY }))
  assert.equal((await ask(method.getHealth, {}, '')).status, 'ok')
  assert.equal((await ask(method.listServices)).services.length, 1)
  const text = 'unknown method GetNothing for service adminrpc.Admin'
  const asked = ask({ ...method.getHealth, name: 'GetNothing' }, {})
  await refused(asked, grpc.status.UNIMPLEMENTED, text)
})
