import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import fc from '../fast-check.ts'
import { decode as decodeIndependently } from 'light-bolt11-decoder'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { fromHex, toHex } from '../../src/base/bytes.ts'
import { isPinholeError } from '../../src/base/errors.ts'
import { decodeInvoice, MAX_INVOICE_LENGTH } from '../../src/bolt11/decode.ts'
import { encodeInvoice, type InvoiceFields } from '../../src/bolt11/encode.ts'
import { payeeOf } from '../../src/bolt11/signature.ts'

interface Example {
  readonly title: string
  readonly invoice: string
  readonly network: string
  readonly amountMsat: string | null
  readonly paymentHash: string
  readonly timestamp: number
  readonly expirySeconds: number
  readonly description?: string
  readonly descriptionHash?: string
  readonly minFinalCltvExpiry?: number
  readonly signer?: string
}

const file = path.resolve(import.meta.dirname, '../vectors/bolt11/examples.json')
const known = JSON.parse(readFileSync(file, 'utf8')) as {
  readonly privateKey: string
  readonly publicKey: string
  readonly valid: readonly Example[]
  readonly invalid: readonly Pick<Example, 'title' | 'invoice'>[]
}
const bytes = (hex: string): Uint8Array => fromHex(hex) ?? assert.fail(`no hex: ${hex}`)
const privateKey = bytes(known.privateKey)
const isRefusal = (error: unknown) => isPinholeError(error, 'ERR_BOLT11_INVOICE')

test('every example of BOLT 11 says what the specification says it does', () => {
  assert.equal(known.valid.length, 16)
  for (const example of known.valid) {
    const read = decodeInvoice(example.invoice)
    assert.equal(read.paymentRequest, example.invoice.toLowerCase())
    assert.equal(read.network, example.network, example.title)
    const amount = example.amountMsat === null ? undefined : BigInt(example.amountMsat)
    assert.equal(read.amountMsat, amount, example.title)
    assert.equal(toHex(read.paymentHash), example.paymentHash, example.title)
    assert.equal(read.createdAtMs, example.timestamp * 1000)
    assert.equal(read.expiresAtMs, (example.timestamp + example.expirySeconds) * 1000)
    assert.equal(read.description, example.description, example.title)
    assert.equal(read.descriptionHash && toHex(read.descriptionHash), example.descriptionHash)
    assert.equal(read.minFinalCltvExpiry, example.minFinalCltvExpiry)
    const { signer = known.publicKey } = example
    assert.equal(toHex(payeeOf(example.invoice)), signer, example.title)
  }
})

/** Faults that a reader who does not pay need not find: features, a missing secret, who signed. */
const FOR_THE_PAYER = /unknown feature|`s` field|not recoverable|Non canonical/

test('the broken examples of BOLT 11 are refused', () => {
  const refused = known.invalid.filter(({ title }) => !FOR_THE_PAYER.test(title))
  assert.equal(refused.length, 6)
  for (const { title, invoice } of refused) {
    assert.throws(() => decodeInvoice(invoice), isRefusal, title)
  }
  const unsigned = known.invalid.find(({ title }) => /not recoverable/.test(title))
  assert.throws(() => payeeOf(unsigned?.invoice ?? ''), isRefusal)
})

test('examples that were made of our fields are written letter by letter', () => {
  const base: InvoiceFields = {
    network: 'bc',
    amountMsat: undefined,
    timestampSeconds: 1_496_314_658,
    paymentHash: bytes(known.valid[0]?.paymentHash ?? ''),
    paymentSecret: new Uint8Array(32).fill(0x11),
    description: 'Please consider supporting this project',
    expirySeconds: undefined,
    minFinalCltvExpiry: undefined,
    features: [8, 14],
  }
  const coffee = { amountMsat: 250_000_000n, expirySeconds: 60, description: '1 cup coffee' }
  const written = [
    base,
    { ...base, ...coffee },
    { ...base, ...coffee, description: 'ナンセンス 1杯' },
    {
      ...base,
      amountMsat: 2_000_000_000n,
      description: bytes(known.valid[3]?.descriptionHash ?? ''),
    },
  ]
  for (const [index, fields] of written.entries()) {
    assert.equal(encodeInvoice(fields, privateKey), known.valid[index]?.invoice)
  }
})

const hash = fc.uint8Array({ minLength: 32, maxLength: 32 })
const fields = fc.record({
  network: fc.constantFrom('bc', 'tb', 'tbs', 'bcrt', 'sb'),
  amountMsat: fc.option(fc.bigInt(1n, 2_100_000_000_000_000_000n), { nil: undefined }),
  timestampSeconds: fc.integer({ min: 0, max: 2 ** 35 - 1 }),
  paymentHash: hash,
  paymentSecret: fc.option(hash, { nil: undefined }),
  description: fc.oneof(fc.string({ unit: 'grapheme', maxLength: 40 }), hash),
  expirySeconds: fc.option(fc.integer({ min: 0, max: 2 ** 31 }), { nil: undefined }),
  minFinalCltvExpiry: fc.option(fc.integer({ min: 0, max: 5000 }), { nil: undefined }),
  features: fc.uniqueArray(fc.integer({ min: 0, max: 200 }), { maxLength: 4 }),
})

test('what is written is read back, whoever signs it', () => {
  fc.assert(
    fc.property(fields, fc.bigInt(1n, 2n ** 250n), (wanted, scalar) => {
      const key = bytes(scalar.toString(16).padStart(64, '0'))
      const invoice = encodeInvoice(wanted, key)
      const read = decodeInvoice(wanted.features.length % 2 ? invoice.toUpperCase() : invoice)
      assert.equal(read.amountMsat, wanted.amountMsat)
      assert.deepEqual(read.paymentHash, wanted.paymentHash)
      assert.deepEqual(read.paymentSecret, wanted.paymentSecret)
      assert.deepEqual(read.descriptionHash ?? read.description, wanted.description)
      assert.equal(read.createdAtMs, wanted.timestampSeconds * 1000)
      assert.equal(read.expiresAtMs - read.createdAtMs, (wanted.expirySeconds ?? 3600) * 1000)
      assert.equal(read.minFinalCltvExpiry, wanted.minFinalCltvExpiry)
      assert.equal(read.payee, undefined)
      const { sections } = decodeIndependently(invoice)
      const named = new Map(sections.map((part) => [part.name, 'value' in part && part.value]))
      assert.equal(named.get('amount') ?? undefined, wanted.amountMsat?.toString())
      assert.equal(named.get('payment_hash'), toHex(wanted.paymentHash))
      assert.equal(named.get('timestamp'), wanted.timestampSeconds)
      assert.deepEqual(payeeOf(invoice), secp256k1.getPublicKey(key, true))
    }),
    { numRuns: 60 },
  )
})

test('no text throws anything but a refusal, and long ones are not read', () => {
  const mutated = fc
    .tuple(
      fc.constantFrom(...known.valid.map(({ invoice }) => invoice)),
      fc.nat(600),
      fc.string({ maxLength: 4 }),
    )
    .map(([invoice, at, put]) => invoice.slice(0, at) + put + invoice.slice(at + 1))
  fc.assert(
    fc.property(fc.oneof(mutated, fc.string(), fc.constant('ln1')), (text) => {
      for (const read of [decodeInvoice, payeeOf]) {
        try {
          read(text)
        } catch (error) {
          assert.ok(isRefusal(error), String(error))
        }
      }
    }),
    { numRuns: 2000 },
  )
  const long = `lnbc1${'q'.repeat(MAX_INVOICE_LENGTH)}`
  assert.throws(() => decodeInvoice(long), /more than 7089 characters/)
  assert.throws(() => decodeInvoice(`lnbc${'9'.repeat(30)}1qqq`), isRefusal)
})

test('what no invoice can say is a mistake of the caller', () => {
  const good = fc.sample(fields, 1)[0] ?? assert.fail()
  for (const wrong of [
    { amountMsat: 0n },
    { paymentHash: new Uint8Array(31) },
    { timestampSeconds: 2 ** 35 },
    { timestampSeconds: -1 },
    { description: 'x'.repeat(700) },
  ]) {
    assert.throws(() => encodeInvoice({ ...good, ...wrong }, privateKey), TypeError)
  }
})
