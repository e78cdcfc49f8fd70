/** A request that was read on the fast path: what the paywall asks of Node's own requests, and no more. */
import type { IncomingHttpHeaders } from 'node:http'
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import type { PlainFields } from './head.ts'

/** One request, whole. */
export class PlainRequest {
  readonly httpVersion = '1.1'
  readonly httpVersionMajor = 1
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly rawHeaders: string[]
  readonly socket: Socket
  readonly #body: Buffer | undefined

  constructor(
    socket: Socket,
    method: string,
    url: string,
    { headers, rawHeaders }: PlainFields,
    body: Buffer | undefined,
  ) {
    this.socket = socket
    this.method = method
    this.url = url
    this.headers = headers
    this.rawHeaders = rawHeaders
    this.#body = body
  }

  /** The body, from its beginning. */
  body(): Readable {
    const body = new Readable({ read() {} })
    if (this.#body) body.push(this.#body)
    body.push(null)
    return body
  }
}
