import {
  fromBinary,
  toBinary,
  type DescMessage,
  type DescService,
  type Message,
} from '@bufbuild/protobuf'
import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js'
import { pathOf } from './node-rpc.ts'

/** A generated service as grpc-js takes it in `Server.addService`; handlers are named as in the descriptor. */
export function serviceDefinition(service: DescService): ServiceDefinition {
  const methods: Record<string, MethodDefinition<Message, Message>> = {}
  for (const method of service.methods) {
    const kind = method.methodKind
    methods[method.localName] = {
      path: pathOf(method),
      requestStream: kind === 'client_streaming' || kind === 'bidi_streaming',
      responseStream: kind === 'server_streaming' || kind === 'bidi_streaming',
      ...codec('request', method.input),
      ...codec('response', method.output),
    } as MethodDefinition<Message, Message>
  }
  return methods
}

function codec(side: 'request' | 'response', schema: DescMessage): Record<string, unknown> {
  return {
    [`${side}Serialize`]: (message: Message) => Buffer.from(toBinary(schema, message)),
    [`${side}Deserialize`]: (bytes: Uint8Array) => fromBinary(schema, bytes),
  }
}
