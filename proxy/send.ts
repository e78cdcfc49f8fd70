/** Sends an answer to where its client listens: HTTP/1.1, HTTP/2, or the bare socket of an upgrade. */
import { type ServerResponse, STATUS_CODES } from 'node:http'
import type { Http2ServerResponse, OutgoingHttpHeaders } from 'node:http2'
import type { Duplex } from 'node:stream'
import type { Answer } from './answer.ts'

/** Sends an answer unless the client has gone. What is left of the request's body is not waited for. */
export function send(res: ServerResponse | Http2ServerResponse, answer: Answer): void {
  if ('stream' in res) sendHttp2(res, answer)
  else if (!res.destroyed && !res.headersSent) {
    res.writeHead(answer.status, { ...lines(answer) }).end(answer.body)
  }
}

// By the stream itself: a gRPC client takes an answer for trailers only when the headers end the stream.
function sendHttp2({ stream, req }: Http2ServerResponse, answer: Answer): void {
  if (stream.destroyed || stream.closed || stream.headersSent) return
  const endStream = answer.body === '' || req.method === 'HEAD'
  stream.respond({ ':status': answer.status, ...lines(answer) }, { endStream })
  if (!endStream) stream.end(answer.body)
}

function lines({ headers, body }: Answer): OutgoingHttpHeaders {
  const all: OutgoingHttpHeaders = { 'Content-Length': Buffer.byteLength(body) }
  if (body === '') delete all['Content-Length']
  for (const [name, value] of Object.entries(headers)) {
    all[name] = typeof value === 'string' ? value : [...value]
  }
  return all
}

/** Answers an upgrade with anything but 101 and ends the connection; `head` leaves the body out. */
export function sendOnSocket(socket: Duplex, answer: Answer, head: boolean): void {
  const { status, body } = answer
  let text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nConnection: close\r\n`
  for (const [name, value] of Object.entries(answer.headers)) {
    for (const line of typeof value === 'string' ? [value] : value) text += `${name}: ${line}\r\n`
  }
  text += `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${head ? '' : body}`
  socket.on('error', () => {})
  socket.end(text)
  socket.resume()
  socket.once('finish', () => socket.destroy())
}
