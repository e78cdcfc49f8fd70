import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import test from 'node:test'
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'
import { newKey, ORGANIZATION, selfSign } from '../../src/certificate/self-signed.ts'

const SUBJECT = { hostname: 'node', names: [] as string[], addresses: [] as string[] }
const NOW_MS = Date.UTC(2026, 6, 1, 12, 30, 15, 250)

const make = async (change: Partial<typeof SUBJECT> = {}, wallMs = NOW_MS) =>
  selfSign(newKey(), { ...SUBJECT, ...change }, wallMs)

test('a certificate of its own authority for a server, each extension as critical as in Go', async () => {
  const made = new x509.X509Certificate(await make())
  const flags = x509.KeyUsageFlags
  const usages = made.getExtension(x509.KeyUsagesExtension)
  assert.deepEqual(
    [usages?.critical, usages?.usages],
    [true, flags.digitalSignature | flags.keyEncipherment | flags.keyCertSign],
  )
  const extended = made.getExtension(x509.ExtendedKeyUsageExtension)
  assert.deepEqual(
    [extended?.critical, [...(extended?.usages ?? [])]],
    [false, [x509.ExtendedKeyUsage.serverAuth]],
  )
  const basic = made.getExtension(x509.BasicConstraintsExtension)
  assert.deepEqual([basic?.critical, basic?.ca, basic?.pathLength], [true, true, undefined])
  const identifier = made.getExtension(x509.SubjectKeyIdentifierExtension)
  const expected = Buffer.from(await made.publicKey.getKeyIdentifier()).toString('hex')
  assert.deepEqual([identifier?.critical, identifier?.keyId], [false, expected])
  assert.equal(made.extensions.length, 5)
  assert.equal(made.issuer, made.subject)
  assert.deepEqual(made.signatureAlgorithm.hash, { name: 'SHA-256' })
})

test('valid from a day ago for 820 days, to the second', async () => {
  const { notBefore, notAfter } = new x509.X509Certificate(await make())
  assert.equal(notBefore.toISOString(), '2026-06-30T12:30:15.000Z')
  assert.equal(notAfter.toISOString(), '2028-09-27T12:30:15.000Z')
})

test('beyond 2049 too (RFC 5280 §4.1.2.5)', async () => {
  const made = new X509Certificate(await make({}, Date.UTC(2049, 11, 31, 23, 59, 59, 999)))
  assert.equal(made.validFrom, 'Dec 30 23:59:59 2049 GMT')
  assert.equal(made.validTo, 'Mar 29 23:59:59 2052 GMT')
})

test('each name once, addresses of any writing, nothing that is neither', async () => {
  const names = ['node', 'localhost', 'not a name', 'ünder.example', 'x_1.example']
  const addresses = ['::1', '10.0.0.255', 'fe80::1%eth0', '::ffff:1.2.3.4', '2001:DB8::', 'x']
  const made = new x509.X509Certificate(await make({ names, addresses }))
  const found = made.getExtension(x509.SubjectAlternativeNameExtension)?.names.items ?? []
  const of = (type: string) => found.flatMap((name) => (name.type === type ? [name.value] : []))
  assert.deepEqual(of('dns'), ['node', 'localhost', 'x_1.example', 'unix', 'unixpacket', 'bufconn'])
  assert.deepEqual(of('ip'), [
    '127.0.0.1',
    '::1',
    '10.0.0.255',
    'fe80::1',
    '::ffff:102:304',
    '2001:db8::',
  ])
})

for (const hostname of ['#1', 'a\\b"c"', 'möwe', '']) {
  test(`a machine named ${JSON.stringify(hostname)} is named so`, async () => {
    const made = new x509.X509Certificate(await make({ hostname }))
    assert.deepEqual(made.subjectName.getField('CN'), [hostname])
    assert.deepEqual(made.subjectName.getField('O'), [ORGANIZATION])
  })
}

test('every certificate has a serial number of its own', async () => {
  const key = newKey()
  const made = await Promise.all(Array.from({ length: 20 }, () => selfSign(key, SUBJECT, NOW_MS)))
  const numbers = made.map((pem) => new X509Certificate(pem).serialNumber)
  assert.equal(new Set(numbers).size, 20)
})

test('PEM in lines of 64, ended', async () => {
  assert.match(
    await make(),
    /^-----BEGIN CERTIFICATE-----\n([\w+/]{64}\n)+[\w+/=]{1,64}\n-----END CERTIFICATE-----\n$/,
  )
})
