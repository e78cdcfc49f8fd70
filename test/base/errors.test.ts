import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import {
  asPinholeError,
  ERROR_CODES,
  GrpcCode,
  isPinholeError,
  PinholeError,
} from '../../src/base/errors.ts'

const page = readFileSync(path.resolve(import.meta.dirname, '../../docs/errors.md'), 'utf8')
const sections = page
  .split(/^(?=#{2,3} )/m)
  .filter((part) => part.startsWith('### '))
  .map((part) => ({ code: part.slice(4, part.indexOf('\n')), text: part }))

test('docs/errors.md has one section for each code and none besides, in the order of the table', () => {
  assert.deepEqual(
    sections.map(({ code }) => code),
    ERROR_CODES,
  )
})

test('each section says something', () => {
  for (const { code, text } of sections) assert.ok(text.length > code.length + 60, code)
})

test('every code has a status, a gRPC code and an advice that is a sentence', () => {
  const grpcCodes: readonly number[] = Object.values(GrpcCode)
  for (const code of ERROR_CODES) {
    const error = new PinholeError(code, 'something is wrong')
    assert.match(code, /^ERR_[A-Z][A-Z0-9]*(_[A-Z]+)+$/)
    assert.ok(error.status >= 400 && error.status < 600, code)
    assert.ok(grpcCodes.includes(error.grpc) && error.grpc !== GrpcCode.ok, code)
    assert.match(error.advice, /^[A-Z].*\.$/, code)
    assert.equal(error.docs, `docs/errors.md#${code.toLowerCase()}`)
  }
})

test('an error is its own problem document', () => {
  const error = new PinholeError('ERR_BOX_NOT_FOUND', 'stream not found')
  assert.deepEqual(error.toProblemDetails(), {
    type: 'docs/errors.md#err_box_not_found',
    title: 'stream not found',
    status: 500,
    detail: "Create the box first (the node's end does).",
    code: 'ERR_BOX_NOT_FOUND',
  })
})

test('a gRPC code of the node replaces that of the table, the cause is kept', () => {
  const cause = new Error('connection reset')
  const error = new PinholeError('ERR_NODE_CALL', 'refused', { cause, grpc: GrpcCode.notFound })
  assert.equal(error.grpc, GrpcCode.notFound)
  assert.equal(error.cause, cause)
  assert.equal('cause' in new PinholeError('ERR_NODE_CALL', 'refused'), false)
})

test('errors are recognised by class and code', () => {
  const error = new PinholeError('ERR_LINK_CLOSED', 'closed')
  assert.ok(isPinholeError(error))
  assert.ok(isPinholeError(error, 'ERR_GBN_SILENT', 'ERR_LINK_CLOSED'))
  assert.ok(!isPinholeError(error, 'ERR_GBN_SILENT'))
  assert.ok(!isPinholeError(new Error('closed')))
})

test('whatever was thrown becomes one error, once', () => {
  const error = new PinholeError('ERR_LINK_CLOSED', 'closed')
  assert.equal(asPinholeError(error, 'ERR_GBN_SILENT'), error)
  const cause = new Error('reset')
  const wrapped = asPinholeError(cause, 'ERR_GBN_SILENT')
  assert.deepEqual(
    [wrapped.code, wrapped.message, wrapped.cause],
    ['ERR_GBN_SILENT', 'reset', cause],
  )
  assert.equal(asPinholeError('odd', 'ERR_GBN_SILENT').message, 'odd')
})
