/** `Expect: 100-continue` (RFC 9110 §10.1.1): a body is asked for when somebody wants to read it. */
import type http from 'node:http'
import type http2 from 'node:http2'

/** An upstream that says neither 100 nor anything else for so long gets the body: it may be older than HTTP/1.1. */
export const CONTINUE_AFTER_MS = 1_000

type Read = (size: number) => void
interface Waiting {
  _read: Read
}

/**
 * Makes a server send 100 when the body is first read, in place of before the handler is called, as Node
 * does; so a request that draws 402 or 413 never sends its body. A connection whose body was not asked for
 * is closed after the answer, for nobody can tell whether the body comes still.
 */
export function continueOnRead(server: http.Server): void {
  server.on('checkContinue', (req: http.IncomingMessage, res: http.ServerResponse) => {
    res.shouldKeepAlive = false
    deferContinue(req, () => {
      if (res.headersSent) return
      res.shouldKeepAlive = true
      res.writeContinue()
    })
    server.emit('request', req, res)
  })
}

/** The same for HTTP/2, where a connection outlives its requests anyhow. */
export function continueOnReadHttp2(server: http2.Http2Server): void {
  server.on('checkContinue', (req: http2.Http2ServerRequest, res: http2.Http2ServerResponse) => {
    deferContinue(req.stream, () => {
      if (!res.headersSent) res.writeContinue()
    })
    server.emit('request', req, res)
  })
}

function deferContinue(body: Waiting, proceed: () => void): void {
  const read = body._read
  body._read = (size) => {
    body._read = read
    proceed()
    read.call(body, size)
  }
}
