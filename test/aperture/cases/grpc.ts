/** gRPC, and rate limits. */
import { type Case, from, grpc, l402, inOne } from './request.ts'

export const GRPC: readonly Case[] = [
  { id: 'grpc.unary', request: grpc('/dt.Echo/Unary', ['ping']) },
  { id: 'grpc.stream', request: grpc('/dt.Echo/Bidi', ['a', 'b', 'c']) },
  { id: 'grpc.fail', request: grpc('/dt.Echo/Fail', ['x']) },
  {
    id: 'grpc.metadata',
    request: grpc(
      '/dt.Echo/Meta',
      [],
      [
        ['x-one', '1'],
        ['x-bin', 'AAE'],
      ],
    ),
  },
  { id: 'grpc.402', request: grpc('/dt.Paid/Unary', ['x']) },
  {
    id: 'grpc.paid',
    request: ({ grpcpaid }) => grpc('/dt.Paid/Unary', ['x'], [['authorization', l402(grpcpaid)]]),
  },
  {
    id: 'grpc.paid-macaroon',
    request: ({ grpcpaid }) => grpc('/dt.Paid/Unary', ['x'], [['macaroon', inOne(grpcpaid)]]),
  },
  { id: 'grpc.skip', request: grpc('/dt.Paid/Fail', ['x']) },
  { id: 'grpc.whitelist', request: grpc('/dt.Paid/Meta', []) },
  { id: 'grpc.no-match', request: grpc('/nope.Svc/Unary', ['x']) },
  { id: 'grpc.dead', request: grpc('/dead.Svc/Unary', ['x']) },
  { id: 'rate.grpc-1', request: grpc('/rl.Svc/Unary', ['x']) },
  { id: 'rate.grpc-2', request: grpc('/rl.Svc/Unary', ['x']) },
  ...[1, 2, 3, 4].map((n): Case => ({
    id: `rate.http-${n}`,
    request: from('127.78.1.5', '/rl/x'),
  })),
]
