/**
 * The console at `/_pinhole/`: the files of web's build and nothing else of the file system. All that it shows comes
 * from the admin API. Its policy lets the page run its own scripts, ask its own hub, and be framed by nobody.
 */
import { existsSync } from 'node:fs'
import path from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyPluginAsync } from 'fastify'
import { CONSOLE_PATH } from '../admin/session-routes.ts'

/** How the console is served. */
export interface ConsoleOptions {
  /** Folder of the build; the package's own by default. */
  readonly folder?: string | undefined
}

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

const HEADERS = {
  'content-security-policy': POLICY,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(self), geolocation=(), microphone=()',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
}

/** Vite puts files here whose names change with their content. */
const HASHED = `${path.sep}assets${path.sep}`
const YEAR_SECONDS = 31_536_000

/** Says what to do instead of a page that was never built. */
const NOT_BUILT = `This copy of Pinhole runs from source and its console was not built.
Run: npm run build:web, and start the hub again.
`

/** Built: dist/src/console beside dist/web; from source: src/console, and dist/web if it was built. */
const BUILD = path.resolve(
  import.meta.dirname,
  import.meta.filename.endsWith('.ts') ? '../../dist/web' : '../../web',
)

/** Serves the console; it shows nothing to those who do not log in. */
export const consolePages: FastifyPluginAsync<ConsoleOptions> = async (app, options) => {
  const { folder = BUILD } = options
  app.get(CONSOLE_PATH.slice(0, -1), (_request, reply) => reply.redirect(CONSOLE_PATH, 308))
  if (!existsSync(path.join(folder, 'index.html'))) {
    app.get(CONSOLE_PATH, (_request, reply) => {
      void reply.code(503).headers(HEADERS).type('text/plain; charset=utf-8').send(NOT_BUILT)
    })
    return
  }
  await app.register(fastifyStatic, {
    root: folder,
    prefix: CONSOLE_PATH,
    // One route for each file that is there now, and none for others.
    wildcard: false,
    decorateReply: false,
    cacheControl: false,
    setHeaders(response, file) {
      for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value)
      const caching = file.includes(HASHED)
        ? `public, max-age=${YEAR_SECONDS}, immutable`
        : 'no-cache'
      response.setHeader('cache-control', caching)
    },
  })
}
