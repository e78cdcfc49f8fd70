/** The last stage of the paywall: a request that may pass goes to its service's upstream. */
import { type IncomingMessage, ServerResponse } from 'node:http'
import { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import net from 'node:net'
import type { Duplex } from 'node:stream'
import type { Clock } from '../../src/base/clock.ts'
import type { Log } from '../../src/base/log.ts'
import type { Service, Upstream } from '../service.ts'
import { Connections } from './connections.ts'
import { Deadlines } from './deadlines.ts'
import { hostOf } from './dial.ts'
import type { Framing } from './http1-head.ts'
import { Exchange } from './exchange.ts'
import { outgoingOf, type Way } from './outgoing.ts'
import type { ClientRequest, ClientResponse, Outcome, Passage } from './passage.ts'
import type { Reply } from './reply.ts'
import { Http1Reply } from './reply-http1.ts'
import { Http2Reply } from './reply-http2.ts'
import { RequestHeaders } from './request-headers.ts'
import { cleanPrefix } from './request-path.ts'
import { sendUpgrade } from './upgrade.ts'
import { UpgradeBody, upgradeFraming } from './upgrade-body.ts'

/** What a forwarder works with. */
export interface ForwarderDeps {
  readonly clock: Clock
  readonly log: Log
  /** A client that takes nothing of an answer for so long is cut, in milliseconds; 0 is never. */
  readonly writeTimeoutMs?: number
}

interface Route extends Way {
  connections: Connections
}

/** RFC 7540's upgrade to HTTP/2, which RFC 9113 took back: answered as the plain request that it is too. */
const HTTP2_UPGRADE = 'h2c'

const BAD_FRAMING = 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'

/** Forwards requests and keeps the connections to the upstreams. */
export class Forwarder {
  readonly #clock: Clock
  readonly #log: Log
  readonly #writeMs: number
  readonly #deadlines: Deadlines
  readonly #routes = new WeakMap<Service, Route>()
  readonly #connections = new Map<string, Connections>()

  constructor({ clock, log, writeTimeoutMs = 0 }: ForwarderDeps) {
    this.#clock = clock
    this.#log = log
    this.#writeMs = writeTimeoutMs
    this.#deadlines = new Deadlines(clock)
    this.#deadlines.observe(writeTimeoutMs)
  }

  /** Forwards one request and answers it by `reply`, whatever happens. Never rejects. */
  request(req: ClientRequest, reply: Reply, passage: Passage): Promise<Outcome> {
    const route = this.#routeOf(passage.service)
    return new Promise((resolve) => {
      const exchange = this.#exchange(req, reply, passage, route, resolve)
      route.connections.send(exchange)
    })
  }

  /**
   * Forwards the request of an `upgrade` event; resolves when the upgraded connection is over, or with the
   * upstream's refusal. Never rejects.
   */
  upgrade(req: IncomingMessage, socket: Duplex, head: Buffer, passage: Passage): Promise<Outcome> {
    const route = this.#routeOf(passage.service)
    const protocol = req.headers.upgrade ?? ''
    // Node leaves a socket that it hands over without a listener.
    socket.on('error', () => {})
    const framing = upgradeFraming(req)
    if (!framing) {
      socket.end(BAD_FRAMING)
      return Promise.resolve({ name: 'abandoned' })
    }
    return new Promise((resolve) => {
      const late = framing.name === 'none' ? undefined : lateBody(req, framing, socket, head)
      const reply = new Http1Reply(req, responseOn(req, socket), late)
      const exchange = this.#exchange(req, reply, passage, route, resolve)
      // RFC 9110 §7.8: an upgrade may be left alone. One with a body can take place only once that was read.
      if (late || protocol.toLowerCase() === HTTP2_UPGRADE) return route.connections.send(exchange)
      const connect = () => route.connections.http1.open()
      sendUpgrade(exchange, socket, { head, protocol }, connect, (outcome) => {
        this.#deadlines.delete(exchange)
        resolve(outcome)
      })
    })
  }

  /** Closes connections to upstreams that none of `services` names, once they are idle. */
  retain(services: readonly Service[]): void {
    const kept = new Set(services.map(({ upstream }) => keyOf(upstream)))
    for (const [key, connections] of this.#connections) {
      if (kept.has(key)) continue
      this.#connections.delete(key)
      connections.retire()
    }
  }

  /** Ends all connections; what runs is broken off. */
  close(): void {
    const all = [...this.#connections.values()]
    this.#connections.clear()
    for (const connections of all) connections.destroy()
    this.#deadlines.close()
  }

  #exchange(
    req: ClientRequest,
    reply: Reply,
    passage: Passage,
    route: Route,
    resolve: (outcome: Outcome) => void,
  ): Exchange {
    const { id, service } = passage
    const { name, upstream } = service
    const limits = { upstream: upstream.timeouts, writeMs: this.#writeMs }
    const outgoing = outgoingOf(req, passage, route)
    const exchange = new Exchange(reply, outgoing, name, limits, (outcome) => {
      this.#deadlines.delete(exchange)
      if (outcome.name === 'failed') {
        const { error, started } = outcome
        this.#log.warn({ id, service: name, started, reason: error }, 'upstream failed')
      }
      resolve(outcome)
    })
    this.#deadlines.add(exchange)
    return exchange
  }

  #routeOf(service: Service): Route {
    const known = this.#routes.get(service)
    if (known) {
      if (known.connections.isRetired) known.connections = this.#connectionsTo(service.upstream)
      return known
    }
    const { upstream } = service
    const { headerMs, bodyMs } = upstream.timeouts
    this.#deadlines.observe(headerMs)
    this.#deadlines.observe(bodyMs)
    const ownHost = service.headers.find(([name]) => name.toLowerCase() === 'host')
    const route: Route = {
      headers: new RequestHeaders(service),
      prefix: cleanPrefix(service.rewritePrefix),
      host: ownHost?.[1] ?? hostOf(upstream),
      connections: this.#connectionsTo(upstream),
    }
    this.#routes.set(service, route)
    return route
  }

  #connectionsTo(upstream: Upstream): Connections {
    const key = keyOf(upstream)
    const known = this.#connections.get(key)
    if (known) return known
    const made = new Connections(upstream, this.#clock)
    this.#connections.set(key, made)
    return made
  }
}

function keyOf({ protocol, address, certificate, insecureTls, timeouts }: Upstream): string {
  const { connectMs, headerMs, bodyMs, idleMs } = timeouts
  const times = [connectMs, headerMs, bodyMs, idleMs]
  return JSON.stringify([protocol, address, certificate, insecureTls, times])
}

/** The client's end for a request and its response as Node's servers make them. */
export function replyTo(req: IncomingMessage | Http2ServerRequest, res: ClientResponse): Reply {
  if (req instanceof Http2ServerRequest && res instanceof Http2ServerResponse) {
    return new Http2Reply(req, res)
  }
  if (req instanceof Http2ServerRequest || res instanceof Http2ServerResponse) {
    throw new TypeError('request and response are of different HTTP versions')
  }
  return new Http1Reply(req, res)
}

function lateBody(
  req: IncomingMessage,
  framing: Framing,
  socket: Duplex,
  head: Buffer,
): UpgradeBody {
  if (!(socket instanceof net.Socket)) throw new TypeError('an upgrade needs a socket')
  return new UpgradeBody(req, framing, socket, head)
}

/** A response for a socket that Node's server has let go. */
function responseOn(req: IncomingMessage, socket: Duplex): ServerResponse {
  const res = new ServerResponse(req)
  res.shouldKeepAlive = false
  if (!(socket instanceof net.Socket)) throw new TypeError('an upgrade needs a socket')
  res.assignSocket(socket)
  res.once('finish', () => {
    res.detachSocket(socket)
    socket.destroySoon()
    res.emit('close')
  })
  return res
}
