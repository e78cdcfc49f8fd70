/** Keeps blocked clients (`blocklist`) from what the hub serves besides the paywall, which sees to itself. */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { ACCESS_DENIED, refuse } from '../proxy/answer.ts'
import { arrive } from '../proxy/arrival.ts'
import type { Snapshot } from '../proxy/route.ts'
import { send } from '../proxy/send.ts'
import { systemClock } from './base/clock.ts'

/** Answers requests of blocked clients by 403. To be called before routes are added. */
export function refuseBlockedRequests(app: FastifyInstance, snapshot: () => Snapshot): void {
  app.addHook('onRequest', (request, reply, next) => {
    const { blocked, trusted } = snapshot()
    const arrival = arrive(request.raw, trusted, systemClock)
    if (!blocked.has(arrival.address)) return next()
    reply.hijack()
    send(reply.raw, refuse(ACCESS_DENIED, arrival.asked))
  })
}

/** The same, and closes their upgrades. */
export function refuseBlocked(app: FastifyInstance, snapshot: () => Snapshot): void {
  refuseBlockedRequests(app, snapshot)
  app.server.prependListener('upgrade', (request: IncomingMessage, socket: Duplex) => {
    const { blocked, trusted } = snapshot()
    if (blocked.has(arrive(request, trusted, systemClock).address)) socket.destroy()
  })
}
