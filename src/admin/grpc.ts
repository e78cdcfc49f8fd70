/** The gRPC face: Aperture's service `adminrpc.Admin`, as its own clients call it. */
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { percentEncode } from '../../mailbox/relay/grpc-call.ts'
import { GrpcCode, PinholeError } from '../base/errors.ts'
import type { Desk } from './call.ts'
import { GRPC_SERVICE } from './contract.ts'
import { routeError, sendFailure } from './failure.ts'
import type { GrpcService, NodeRequest } from './grpc-service.ts'
import type { Visitor } from './guard.ts'

/** What the gRPC face is made of. */
export interface GrpcParts {
  readonly desk: Desk
  readonly visitor: (request: FastifyRequest, reply: FastifyReply) => Visitor
}

/** Adds the routes of `adminrpc.Admin`; nothing below that path goes to a service that is sold. */
export function grpcRoutes(app: FastifyInstance, parts: GrpcParts): void {
  const { desk } = parts
  const visitors = new WeakMap<NodeRequest, Visitor>()
  let loading: Promise<Loaded> | undefined
  const loaded = () => {
    // What could not be loaded now may be later.
    loading ??= load(desk, visitors).catch((reason: unknown) => {
      loading = undefined
      throw reason
    })
    return loading
  }
  app.setErrorHandler<FastifyError>((error, _request, reply) => {
    sendFailure(reply, routeError(error, desk.log))
  })
  // Bodies are the library's to read.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, _body, done) => done(null))
  app.all(`/${GRPC_SERVICE}/*`, async (request, reply) => {
    const method = methodOf(request)
    if (!isGrpc(request)) throw new PinholeError('ERR_ADMIN_NOT_FOUND', 'Not Found')
    const visitor = parts.visitor(request, reply)
    const { serve, hasMethod } = await loaded()
    reply.hijack()
    if (!hasMethod(method)) return refuseMethod(method, reply)
    visitors.set(request.raw, visitor)
    sayMessagesPlainly(reply)
    serve(request.raw, reply.raw)
  })
}

interface Loaded {
  readonly serve: GrpcService
  readonly hasMethod: (name: string) => boolean
}

async function load(desk: Desk, visitors: WeakMap<NodeRequest, Visitor>): Promise<Loaded> {
  const { grpcService, hasMethod } = await import('./grpc-service.ts')
  return { serve: grpcService(desk, visitors), hasMethod }
}

const isGrpc = ({ headers }: FastifyRequest): boolean =>
  headers['content-type']?.startsWith('application/grpc') === true

function methodOf({ url }: FastifyRequest): string {
  const [path = ''] = url.split('?')
  return path.slice(`/${GRPC_SERVICE}/`.length)
}

/**
 * Connect encodes more of `grpc-message` than gRPC's percent-encoding asks for, and grpc-js does not undo all of it:
 * its callers would read `>%3D`.
 */
function sayMessagesPlainly({ raw }: FastifyReply): void {
  const addTrailers = raw.addTrailers.bind(raw)
  raw.addTrailers = (trailers: Readonly<Record<string, string>>) => {
    const { 'grpc-message': message, ...others } = trailers
    addTrailers(
      message === undefined
        ? others
        : { ...others, 'grpc-message': percentEncode(decodeURIComponent(message)) },
    )
  }
}

/** A path below the service that none of its methods has. */
function refuseMethod(method: string, { raw }: FastifyReply): void {
  raw.writeHead(200, { 'content-type': 'application/grpc' })
  raw.addTrailers({
    'grpc-status': String(GrpcCode.unimplemented),
    'grpc-message': encodeURIComponent(`unknown method ${method} for service ${GRPC_SERVICE}`),
  })
  raw.end()
}
