/** Names requests for the log: short, never the same twice in one process, unlikely so in two. */
import { randomBytes } from 'node:crypto'
import type { TrustedProxies } from '../proxy/client-address.ts'
import type { Request } from '../proxy/target.ts'
import { plainAddress } from './listener/network.ts'

const HEADER = 'x-request-id'
/** Of a proxy's own id; anything else could break a line or make it long. */
const USABLE = /^[\w.:+/=-]{1,128}$/
const RADIX = 36

/** Gives out ids. */
export class RequestIds {
  readonly #trusted: () => TrustedProxies
  readonly #start = `${randomBytes(4).toString('hex')}-`
  #count = 0

  /** Only of proxies that `trusted` holds is an `X-Request-Id` taken. */
  constructor(trusted: () => TrustedProxies) {
    this.#trusted = trusted
  }

  /** The id of a request. */
  readonly of = ({ headers, socket }: Pick<Request, 'headers' | 'socket'>): string => {
    const given = headers[HEADER]
    if (typeof given === 'string' && USABLE.test(given)) {
      if (this.#trusted().has(plainAddress(socket.remoteAddress ?? ''))) return given
    }
    return this.#start + (++this.#count).toString(RADIX)
  }
}
