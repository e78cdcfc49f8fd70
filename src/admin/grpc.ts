/** The gRPC face: Aperture's service `adminrpc.Admin`, as its own clients call it. */
import { type DescMessage, type DescMethodUnary, fromJsonString, toJson } from '@bufbuild/protobuf'
import {
  ConnectError,
  type ConnectRouter,
  createContextKey,
  createContextValues,
} from '@connectrpc/connect'
import { fastifyConnectPlugin } from '@connectrpc/connect-fastify'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { percentEncode } from '../../mailbox/relay/grpc-call.ts'
import { GrpcCode, isPinholeError, PinholeError } from '../base/errors.ts'
import { call, type Desk } from './call.ts'
import type { OperationName } from './contract.ts'
import { foreseen, routeError, sendFailure } from './failure.ts'
import { Admin } from './gen/admin_pb.ts'
import type { Visitor } from './guard.ts'

/** What the gRPC face is made of. */
export interface GrpcParts {
  readonly desk: Desk
  readonly visitor: (request: FastifyRequest, reply: FastifyReply) => Visitor
}

const MAX_MESSAGE_BYTES = 1_048_576
const NOBODY: Visitor = { macaroon: undefined, address: '', signal: new AbortController().signal }
const VISITOR = createContextKey<Visitor>(NOBODY, { description: 'visitor' })

/** Adds the routes of `adminrpc.Admin`; nothing below that path goes to a service that is sold. */
export async function grpcRoutes(app: FastifyInstance, parts: GrpcParts): Promise<void> {
  const visitors = new WeakMap<FastifyRequest, Visitor>()
  app.addHook('onRequest', (request, reply, next) => {
    visitors.set(request, parts.visitor(request, reply))
    sayMessagesPlainly(reply)
    next()
  })
  app.setErrorHandler<FastifyError>((error, _request, reply) => {
    sendFailure(reply, routeError(error, parts.desk.log))
  })
  await app.register(fastifyConnectPlugin, {
    routes: (router) => adminService(router, parts.desk),
    contextValues: (request) => createContextValues().set(VISITOR, visitors.get(request) ?? NOBODY),
    connect: false,
    grpcWeb: false,
    readMaxBytes: MAX_MESSAGE_BYTES,
  })
  await app.register(async (others) => {
    others.removeAllContentTypeParsers()
    others.addContentTypeParser('*', (_request, _body, done) => done(null))
    others.all(`/${Admin.typeName}/*`, refuseMethod)
  })
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
function refuseMethod({ url, headers }: FastifyRequest, reply: FastifyReply): void {
  const [path = ''] = url.split('?')
  if (headers['content-type']?.startsWith('application/grpc') !== true) {
    sendFailure(reply, new PinholeError('ERR_ADMIN_NOT_FOUND', 'Not Found'))
    return
  }
  const method = path.slice(path.lastIndexOf('/') + 1)
  const text = `unknown method ${method} for service ${Admin.typeName}`
  reply.hijack()
  reply.raw.writeHead(200, { 'content-type': 'application/grpc' })
  reply.raw.addTrailers({
    'grpc-status': String(GrpcCode.unimplemented),
    'grpc-message': encodeURIComponent(text),
  })
  reply.raw.end()
}

function adminService(router: ConnectRouter, desk: Desk): void {
  const { method } = Admin
  unary(router, method.getInfo, 'getInfo', desk)
  unary(router, method.getHealth, 'getHealth', desk)
  unary(router, method.listServices, 'listServices', desk)
  unary(router, method.createService, 'createService', desk)
  unary(router, method.updateService, 'updateService', desk)
  unary(router, method.deleteService, 'deleteService', desk)
  unary(router, method.listTransactions, 'listTransactions', desk)
  unary(router, method.listTokens, 'listTokens', desk)
  unary(router, method.revokeToken, 'revokeToken', desk)
  unary(router, method.getStats, 'getStats', desk)
}

/** Messages go by way of their JSON, which is the contract's: the names, 64-bit integers and enums are the same. */
function unary<I extends DescMessage, O extends DescMessage>(
  router: ConnectRouter,
  method: DescMethodUnary<I, O>,
  name: OperationName,
  desk: Desk,
): void {
  router.rpc(method, async (message, context) => {
    const visitor = { ...context.values.get(VISITOR), signal: context.signal }
    try {
      const request = toJson(method.input, message, { useProtoFieldName: true })
      const value: unknown = await call(desk, name, request, visitor)
      return fromJsonString(method.output, JSON.stringify(value), { ignoreUnknownFields: true })
    } catch (reason) {
      const { message: text, grpc } = isPinholeError(reason) ? reason : foreseen(reason, desk.log)
      throw new ConnectError(text, grpc)
    }
  })
}
