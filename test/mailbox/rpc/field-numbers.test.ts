import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { ScalarType, createRegistry, type DescField, type DescMethod } from '@bufbuild/protobuf'
import { pathOf } from '../../../mailbox/rpc/node-rpc.ts'
import { file_invoices } from '../../../mailbox/rpc/gen/invoices_pb.ts'
import { file_lightning } from '../../../mailbox/rpc/gen/lightning_pb.ts'
import { file_router } from '../../../mailbox/rpc/gen/router_pb.ts'

interface Descriptors {
  messages: Record<string, Record<string, string>>
  enums: Record<string, Record<string, number>>
  methods: Record<string, string>
}

const lnd = JSON.parse(
  readFileSync(new URL('../../vectors/lnd/descriptors.json', import.meta.url), 'utf8'),
) as Descriptors
const types = [...createRegistry(file_lightning, file_invoices, file_router)]

/** A field as the vectors write it: number, whether repeated, type. */
function written(field: DescField): string {
  switch (field.fieldKind) {
    case 'map':
      return `${field.number} repeated ${field.parent.typeName}.${pascal(field.name)}Entry`
    case 'list':
      return `${field.number} repeated ${elementOf(field)}`
    case 'message':
      return `${field.number} ${field.message.typeName}`
    case 'enum':
      return `${field.number} ${field.enum.typeName}`
    case 'scalar':
      return `${field.number} ${scalar(field.scalar)}`
  }
}

function elementOf(field: DescField & { fieldKind: 'list' }): string {
  if (field.listKind === 'message') return field.message.typeName
  return field.listKind === 'enum' ? field.enum.typeName : scalar(field.scalar)
}

const scalar = (type: ScalarType) => ScalarType[type].toLowerCase()
const pascal = (name: string) =>
  name.replaceAll(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase())

function writtenMethod({ methodKind, input, output }: DescMethod): string {
  const up = methodKind === 'client_streaming' || methodKind === 'bidi_streaming' ? 'stream ' : ''
  const down = methodKind === 'server_streaming' || methodKind === 'bidi_streaming' ? 'stream ' : ''
  return `${up}${input.typeName} -> ${down}${output.typeName}`
}

test('messages have the fields of lnd v0.20, all of them, with the same numbers and types', () => {
  const messages = types.filter((type) => type.kind === 'message')
  assert.ok(messages.length > 40)
  for (const message of messages) {
    const fields = Object.fromEntries(message.fields.map((field) => [field.name, written(field)]))
    assert.deepEqual(fields, lnd.messages[message.typeName], message.typeName)
  }
})

test('enums have the values of lnd v0.20', () => {
  const enums = types.filter((type) => type.kind === 'enum')
  assert.ok(enums.length >= 7)
  for (const { typeName, values } of enums) {
    const numbers = Object.fromEntries(values.map(({ name, number }) => [name, number]))
    assert.deepEqual(numbers, lnd.enums[typeName], typeName)
  }
})

test('methods have the paths, messages and kinds of lnd v0.20', () => {
  const methods = types.flatMap((type) => (type.kind === 'service' ? type.methods : []))
  assert.ok(methods.length >= 15)
  for (const method of methods) {
    assert.equal(writtenMethod(method), lnd.methods[pathOf(method)], pathOf(method))
  }
})
