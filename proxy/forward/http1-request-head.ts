/** Writes the head of a request to an HTTP/1.1 upstream (RFC 9112 §3, §6). */
import type { Outgoing } from './exchange.ts'

const TOKEN = /^[\w!#$%&'*+\-.^`|~]+$/
const BAD_IN_TARGET = /[^\x21-\x7e]/
const BAD_IN_VALUE = /[^\t\x20-\x7e\x80-\xff]/
/** Methods that mean a body, which one that is empty has to say (RFC 9110 §8.6). */
const WITH_BODY: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH'])

/** The head with its empty line, framed in one way: by the body's length, or else in chunks. Throws an `Error`. */
export function requestHead(outgoing: Outgoing): string {
  const { method, path, host, fields, hasBody, length, trailer, expectsContinue } = outgoing
  if (!TOKEN.test(method) || BAD_IN_TARGET.test(path) || path === '') {
    throw new Error('the request line cannot be sent')
  }
  let text = `${method} ${path} HTTP/1.1\r\n${fieldLines(['Host', host])}${fieldLines(fields)}`
  if (expectsContinue) text += 'Expect: 100-continue\r\n'
  if (!hasBody) return WITH_BODY.has(method) ? `${text}Content-Length: 0\r\n\r\n` : `${text}\r\n`
  if (length !== undefined) return `${text}${fieldLines(['Content-Length', length])}\r\n`
  text += 'Transfer-Encoding: chunked\r\n'
  if (trailer !== undefined) text += fieldLines(['Trailer', trailer])
  return `${text}\r\n`
}

/** Lines of names and values in turn. Throws an `Error` for one that would not be read as it is. */
export function fieldLines(fields: readonly string[]): string {
  let text = ''
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = fields[i] ?? ''
    const value = fields[i + 1] ?? ''
    if (!TOKEN.test(name) || BAD_IN_VALUE.test(value)) {
      throw new Error('a field of the request cannot be sent')
    }
    text += `${name}: ${value}\r\n`
  }
  return text
}
