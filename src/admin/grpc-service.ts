/** What answers calls of `adminrpc.Admin`: loaded at the first one, for its library is large and few hubs are called so. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import { type DescMessage, type DescMethodUnary, fromJsonString, toJson } from '@bufbuild/protobuf'
import {
  ConnectError,
  type ConnectRouter,
  createContextKey,
  createContextValues,
} from '@connectrpc/connect'
import { connectNodeAdapter } from '@connectrpc/connect-node'
import { isPinholeError } from '../base/errors.ts'
import { call, type Desk } from './call.ts'
import type { OperationName } from './contract.ts'
import { foreseen } from './failure.ts'
import { Admin } from './gen/admin_pb.ts'
import type { Visitor } from './guard.ts'

/** Node's request and response, of either protocol. */
export type NodeRequest = IncomingMessage | Http2ServerRequest
export type NodeResponse = ServerResponse | Http2ServerResponse

/** Answers a call whose path is of a method. */
export type GrpcService = (request: NodeRequest, response: NodeResponse) => void

const MAX_MESSAGE_BYTES = 1_048_576
const NOBODY: Visitor = { macaroon: undefined, address: '', signal: new AbortController().signal }
const VISITOR = createContextKey<Visitor>(NOBODY, { description: 'visitor' })

/** Whether the service has a method of that name. */
export const hasMethod = (name: string): boolean => Admin.methods.some((one) => one.name === name)

/** Makes what answers; `visitors` say who sent a request. */
export function grpcService(desk: Desk, visitors: WeakMap<NodeRequest, Visitor>): GrpcService {
  return connectNodeAdapter({
    routes: (router) => adminService(router, desk),
    contextValues: (request) => createContextValues().set(VISITOR, visitors.get(request) ?? NOBODY),
    connect: false,
    grpcWeb: false,
    readMaxBytes: MAX_MESSAGE_BYTES,
  })
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
