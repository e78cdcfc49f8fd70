import assert from 'node:assert/strict'
import test from 'node:test'
import fc from '../fast-check.ts'
import { speechOf } from '../../src/listener/first-bytes.ts'

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

test('the first bytes tell TLS, HTTP/2 and HTTP/1.1 apart', () => {
  assert.equal(speechOf(PREFACE), 'http2')
  assert.equal(speechOf(Buffer.from([0x16, 3, 1])), 'tls')
  for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'PROPFIND', 'DELETE', 'OPTIONS']) {
    assert.equal(speechOf(Buffer.from(`${method} / HTTP/1.1`)), 'http1', method)
  }
})

test('a beginning that may still be either is waited for', () => {
  for (const open of ['', 'P', 'PR']) assert.equal(speechOf(Buffer.from(open)), undefined)
  for (const told of ['PO', 'PRO', 'X']) assert.equal(speechOf(Buffer.from(told)), 'http1')
  assert.equal(speechOf(Buffer.from('PRI')), 'http2')
})

test('three bytes always tell', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 3 }), (bytes) => {
      assert.ok(speechOf(bytes))
    }),
  )
})
