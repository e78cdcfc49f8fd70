/**
 * A node without money for `pinhole start --sandbox` and for tests: the part of lnd's API that Pinhole uses,
 * served by grpc-js, so that LNC, macaroons, streams and errors are real. Its payment requests are BOLT 11,
 * signed with a key that nobody else knows; nodes that share a `SimulatedNetwork` can pay each other's.
 */
import { create, type Message, type MessageShape } from '@bufbuild/protobuf'
import * as grpc from '@grpc/grpc-js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { toHex } from '../base/bytes.ts'
import { systemClock, type Clock } from '../base/clock.ts'
import {
  CancelInvoiceRespSchema,
  Invoices,
  type CancelInvoiceMsgSchema,
} from '../../mailbox/rpc/gen/invoices_pb.ts'
import * as ln from '../../mailbox/rpc/gen/lightning_pb.ts'
import {
  Router,
  type SendPaymentRequestSchema,
  type TrackPaymentRequestSchema,
} from '../../mailbox/rpc/gen/router_pb.ts'
import { createNodeServer } from '../../mailbox/rpc/serve.ts'
import { serviceDefinition } from '../../mailbox/rpc/service-definition.ts'
import { ADMIN, MacaroonBook } from './authorization.ts'
import { InvoiceLedger, Refusal } from './invoices.ts'
import { decodePayReq, encodePayReq } from './payment-request.ts'
import { PaymentBook, SimulatedNetwork } from './payments.ts'

/** What a simulated node can be told. */
export interface SimulatedNodeOptions {
  readonly alias?: string
  /** Whom it can pay; by default only itself. */
  readonly network?: SimulatedNetwork
  readonly clock?: Clock
  /** What its channels can take in; nothing by default. */
  readonly receivableMsat?: bigint
  /** Put before the memo of each invoice. */
  readonly memoPrefix?: string
}

/** A running simulated node. */
export interface SimulatedNode {
  /** Its gRPC services, for `serveGrpc` or a port. */
  readonly server: grpc.Server
  readonly macaroons: MacaroonBook
  /** A macaroon that allows everything, in hex. */
  readonly adminMacaroon: string
  readonly invoices: InvoiceLedger
}

/** Makes a simulated node; it listens nowhere by itself. */
export function createSimulatedNode(options: SimulatedNodeOptions = {}): SimulatedNode {
  const clock = options.clock ?? systemClock
  const network = options.network ?? new SimulatedNetwork()
  const privateKey = secp256k1.utils.randomSecretKey()
  const pubkey = toHex(secp256k1.getPublicKey(privateKey, true))
  const invoices = new InvoiceLedger(clock, (invoice) => encodePayReq(invoice, privateKey))
  network.join(invoices)
  const macaroons = new MacaroonBook()
  const payments = new PaymentBook(network, clock)
  const info = create(ln.GetInfoResponseSchema, {
    identityPubkey: pubkey,
    alias: options.alias ?? 'sandbox',
    version: '0.20.1-beta sandbox',
    chains: [{ chain: 'bitcoin', network: 'regtest' }],
    syncedToChain: true,
    syncedToGraph: true,
    blockHeight: 1,
    bestHeaderTimestamp: BigInt(Math.floor(clock.wall() / 1000)),
  })
  const server = createNodeServer({ interceptors: [authorize(macaroons)] })
  server.addService(serviceDefinition(ln.Lightning), lightning(info, invoices, macaroons, options))
  server.addService(serviceDefinition(Invoices), {
    cancelInvoice: unary((request: MessageShape<typeof CancelInvoiceMsgSchema>) => {
      invoices.cancel(toHex(request.paymentHash))
      return create(CancelInvoiceRespSchema)
    }),
  })
  server.addService(serviceDefinition(Router), {
    sendPaymentV2: stream((request: MessageShape<typeof SendPaymentRequestSchema>) => {
      const msat = request.amtMsat > 0n ? request.amtMsat : request.amt * 1000n
      const payReq = decodePayReq(request.paymentRequest)
      const changes = payments.send(payReq, request.paymentRequest, msat)
      return request.noInflightUpdates ? changes.slice(-1) : changes
    }),
    trackPaymentV2: stream((request: MessageShape<typeof TrackPaymentRequestSchema>) => [
      payments.find(toHex(request.paymentHash)),
    ]),
  })
  return { server, macaroons, adminMacaroon: macaroons.bake(ADMIN), invoices }
}

function lightning(
  info: ln.GetInfoResponse,
  invoices: InvoiceLedger,
  macaroons: MacaroonBook,
  { memoPrefix = '', receivableMsat = 0n }: SimulatedNodeOptions,
): grpc.UntypedServiceImplementation {
  return {
    getInfo: unary(() => info),
    listChannels: unary(() => create(ln.ListChannelsResponseSchema)),
    channelBalance: unary(() => {
      const remoteBalance = { msat: receivableMsat, sat: receivableMsat / 1000n }
      return create(ln.ChannelBalanceResponseSchema, { remoteBalance })
    }),
    walletBalance: unary(() => create(ln.WalletBalanceResponseSchema)),
    addInvoice: unary((request: ln.Invoice) => {
      const { rHash, paymentRequest, addIndex, paymentAddr } = invoices.add({
        ...request,
        memo: memoPrefix + request.memo,
      })
      const added = { rHash, paymentRequest, addIndex, paymentAddr }
      return create(ln.AddInvoiceResponseSchema, added)
    }),
    lookupInvoice: unary((request: ln.PaymentHash) =>
      invoices.find(request.rHashStr === '' ? toHex(request.rHash) : request.rHashStr),
    ),
    subscribeInvoices: (call: grpc.ServerWritableStream<ln.InvoiceSubscription, ln.Invoice>) => {
      const { addIndex, settleIndex } = call.request
      for (const invoice of invoices.since(addIndex, settleIndex)) call.write(invoice)
      const stop = invoices.listen((invoice) => call.write(invoice))
      call.on('cancelled', stop)
    },
    decodePayReq: unary((request: ln.PayReqString) => decodePayReq(request.payReq)),
    checkMacaroonPermissions: unary((request: ln.CheckMacPermRequest) => {
      const wanted = request.permissions.map(({ entity, action }) => [entity, action] as const)
      const valid = macaroons.check(toHex(request.macaroon), wanted, request.fullMethod)
      if (!valid) throw new Refusal(grpc.status.UNKNOWN, 'permission denied')
      return create(ln.CheckMacPermResponseSchema, { valid })
    }),
  }
}

function unary<I extends Message>(
  answer: (request: I) => Message,
): grpc.handleUnaryCall<I, Message> {
  return (call, done) => {
    try {
      done(null, answer(call.request))
    } catch (reason) {
      done(refusalOf(reason))
    }
  }
}

function stream<I extends Message>(
  answer: (request: I) => Message[],
): grpc.handleServerStreamingCall<I, Message> {
  return (call) => {
    try {
      for (const message of answer(call.request)) call.write(message)
      call.end()
    } catch (reason) {
      call.emit('error', refusalOf(reason))
    }
  }
}

function refusalOf(reason: unknown): { code: number; details: string } {
  if (reason instanceof Refusal) return { code: reason.grpc, details: reason.message }
  return { code: grpc.status.INTERNAL, details: 'the simulated node failed' }
}

/** Checks the macaroon of every call before its service sees it. */
function authorize(macaroons: MacaroonBook): grpc.ServerInterceptor {
  return (method, call) =>
    new grpc.ServerInterceptingCall(call, {
      start(next) {
        next(
          new grpc.ServerListenerBuilder()
            .withOnReceiveMetadata((metadata, proceed) => {
              const given = metadata.get('macaroon').map(String)
              const words = macaroons.refuse(given, method.path)
              if (words === undefined) proceed(metadata)
              else call.sendStatus({ code: grpc.status.UNKNOWN, details: words })
            })
            .build(),
        )
      },
    })
}
