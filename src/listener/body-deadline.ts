import type { FastifyInstance } from 'fastify'
import type { Clock } from '../base/clock.ts'

/**
 * Gives the bodies of ordinary requests `readTimeoutMs` to arrive (Aperture's `readtimeout`; 0 is for
 * ever), also those that nobody reads. Registered around everything but the relay, whose bodies are
 * streams that last for days.
 */
export function limitBodies(app: FastifyInstance, readTimeoutMs: number, clock: Clock): void {
  if (readTimeoutMs === 0) return
  app.addHook('onRequest', (request, reply, next) => {
    const { raw } = request
    if (
      raw.headers['content-length'] ??
      raw.headers['transfer-encoding'] ??
      raw.httpVersionMajor === 2
    ) {
      const cancel = clock.after(readTimeoutMs, () => {
        if (raw.complete) return
        if (!reply.sent) void reply.code(408).header('connection', 'close').send()
        raw.destroy()
      })
      raw.once('close', cancel).once('end', cancel)
    }
    next()
  })
}
