/** A request that was read on the fast path: what the paywall asks of Node's own requests, and no more. */
import type { IncomingHttpHeaders } from 'node:http'
import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import type { PlainBody } from './body.ts'
import type { PlainFields } from './head.ts'

/** One request. */
export class PlainRequest {
  readonly httpVersion = '1.1'
  readonly httpVersionMajor = 1
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly rawHeaders: string[]
  readonly socket: Socket
  readonly #body: PlainBody | undefined

  constructor(
    socket: Socket,
    line: { readonly method: string; readonly url: string },
    { headers, rawHeaders }: PlainFields,
    body: PlainBody | undefined,
  ) {
    this.socket = socket
    this.method = line.method
    this.url = line.url
    this.headers = headers
    this.rawHeaders = rawHeaders
    this.#body = body
  }

  /** The body, which can be read once. */
  get body(): Readable {
    if (!this.#body) throw new TypeError('this request has no body')
    return this.#body
  }

  /** Whether all of the body has come in. */
  get isWhole(): boolean {
    return this.#body?.isWhole ?? true
  }
}
