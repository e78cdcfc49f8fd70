/**
 * The REST face, as grpc-gateway serves it to Aperture's clients (LNC §10.1): create, delete, send a stream
 * of JSON objects, receive one JSON object per line. Deviation: DELETE takes the plain query
 * `desc.stream_id=<base64>`, since no spelling of `lnd_auth` fits in a query.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { PinholeError } from '../../src/base/errors.ts'
import {
  formatResult,
  formatStatus,
  formatStreamError,
  isRefused,
  JSON_DELETED,
  JSON_INIT_SUCCESS,
  parseCipherBoxAuth,
  parseCipherBoxDesc,
  type JsonRefusal,
} from '../hashmail/json.ts'
import { REST_PATH, REST_RECEIVE_PATH, REST_SEND_PATH } from '../hashmail/names.ts'
import { corsHeaders } from './cors.ts'
import { JsonSplitter } from './json-splitter.ts'
import { ENVELOPE_BYTES, MAX_REQUEST_BYTES } from './limits.ts'
import { Receiving, type ReceivingFace } from './receiving.ts'
import { badJson, Refusal, tooLarge } from './refusals.ts'
import type { LiveStream, Relay } from './relay.ts'
import { checkAuth, queryId } from './requests.ts'
import { Sending, type SendingFace } from './sending.ts'

const JSON_TYPE = 'application/json'

/** Says whose request it is. */
export type AddressOf = (request: Pick<IncomingMessage, 'socket' | 'headers'>) => string

/** Adds the REST routes to `fastify`. */
export function restRoutes(fastify: FastifyInstance, relay: Relay, addressOf: AddressOf): void {
  fastify.post(REST_PATH, async (request, reply) => {
    const read = await readRequest(relay, request.raw, parseCipherBoxAuth)
    const id = read instanceof PinholeError ? read : checkAuth(read)
    if (id instanceof PinholeError) return refuse(request, reply, relay.refused(id))
    const reason = relay.create(id, addressOf(request.raw))
    return reason ? refuse(request, reply, reason) : answer(request, reply, 200, JSON_INIT_SUCCESS)
  })

  fastify.delete(REST_PATH, async (request, reply) => {
    const id = queryId(request.url)
    if (id instanceof PinholeError) return refuse(request, reply, relay.refused(id))
    const reason = relay.delete(id)
    return reason ? refuse(request, reply, reason) : answer(request, reply, 200, JSON_DELETED)
  })

  fastify.post(REST_SEND_PATH, (request, reply) => {
    reply.hijack()
    new RestSend(relay, request.raw, reply.raw).start(addressOf(request.raw))
  })

  fastify.post(REST_RECEIVE_PATH, async (request, reply) => {
    reply.hijack()
    const stream = new RestReceive(relay, request.raw, reply.raw)
    stream.start(addressOf(request.raw), await readRequest(relay, request.raw, parseCipherBoxDesc))
  })

  for (const path of [REST_PATH, REST_SEND_PATH, REST_RECEIVE_PATH]) {
    fastify.options(path, async (request, reply) =>
      reply.code(200).headers(corsHeaders(request.headers.origin)).send(),
    )
  }
}

function answer(
  request: FastifyRequest,
  reply: FastifyReply,
  code: number,
  text: string,
): FastifyReply {
  return reply
    .code(code)
    .headers(corsHeaders(request.headers.origin))
    .header('content-type', JSON_TYPE)
    .send(Buffer.from(text)) // bytes, to which Fastify adds no charset
}

function refuse(request: FastifyRequest, reply: FastifyReply, reason: PinholeError): FastifyReply {
  // What is left of a refused body is not read.
  if (request.raw.httpVersionMajor === 1 && !request.raw.complete)
    reply.header('connection', 'close')
  return answer(request, reply, reason.status, formatStatus(reason.grpc, reason.message))
}

/** Reads a small body whole; an empty one is an empty message. */
async function readRequest<T extends object>(
  relay: Relay,
  body: IncomingMessage,
  parse: (text: string) => T | JsonRefusal,
): Promise<T | PinholeError> {
  const text = await readText(relay, body)
  if (text instanceof PinholeError) return text
  const request = parse(text.trim() === '' ? '{}' : text)
  return isRefused(request) ? badJson(request.refused) : request
}

function readText(relay: Relay, body: IncomingMessage): Promise<string | PinholeError> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let size = 0
    const finish = (text: string | PinholeError): void => {
      cancel()
      resolve(text)
    }
    const cancel = relay.clock.after(relay.limits.messageTimeoutMs, () => finish(Refusal.tooSlow))
    body.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > MAX_REQUEST_BYTES) finish(tooLarge(size, MAX_REQUEST_BYTES))
      else chunks.push(chunk)
    })
    body.once('end', () => finish(Buffer.concat(chunks).toString('utf8')))
    body.once('close', () => finish(Refusal.halfClosed))
    body.once('error', () => {})
  })
}

/** What send and receive have in common: they are counted, and end when the connection does. */
abstract class RestStream implements LiveStream {
  readonly face = 'rest'
  protected readonly relay: Relay
  protected readonly body: IncomingMessage
  protected readonly response: ServerResponse
  /** The connection is: who enters now would never leave. */
  protected gone = false

  constructor(relay: Relay, body: IncomingMessage, response: ServerResponse) {
    this.relay = relay
    this.body = body
    this.response = response
    body.on('error', () => {})
    response.on('error', () => {})
    response.once('close', () => {
      this.gone = true
      this.close()
      relay.leave(this)
    })
  }

  drain(): void {
    this.refuse(Refusal.closing)
  }

  refuse(reason: PinholeError): void {
    const { response } = this
    this.close()
    this.relay.refused(reason)
    if (response.writableEnded || response.destroyed) return
    if (!response.headersSent) {
      this.head(reason.status, this.body.complete ? {} : CLOSE_CONNECTION)
    }
    response.end(this.errorText(reason))
  }

  /** Sends the head of the answer. */
  protected head(status: number, more: Record<string, string>): void {
    const headers = { 'Content-Type': JSON_TYPE, ...corsHeaders(this.body.headers.origin) }
    const { httpVersionMajor } = this.body
    this.response.writeHead(status, httpVersionMajor === 1 ? { ...headers, ...more } : headers)
  }

  protected abstract errorText(reason: PinholeError): string
  abstract close(): void
}

const CLOSE_CONNECTION = { Connection: 'close' }

class RestSend extends RestStream implements SendingFace {
  #sending: Sending | undefined

  start(address: string): void {
    const { relay, body } = this
    const account = relay.enter(this, address)
    if (account instanceof PinholeError) return this.refuse(account)
    // A text of base64 is longer than the message by a third.
    const source = new JsonSplitter(Math.ceil(relay.limits.maxMessageBytes * 1.34) + ENVELOPE_BYTES)
    const sending = new Sending(relay, account, source, this)
    this.#sending = sending
    body.on('data', (chunk: Buffer) => {
      source.push(chunk)
      sending.arrived()
    })
    body.once('end', () => {
      source.finish()
      sending.finished()
    })
  }

  pause(): void {
    this.body.pause()
  }

  more(): void {
    if (this.body.isPaused()) this.body.resume()
  }

  probe(): void {}

  close(): void {
    this.#sending?.close()
    this.body.resume()
  }

  protected errorText(reason: PinholeError): string {
    return formatStatus(reason.grpc, reason.message)
  }
}

class RestReceive extends RestStream implements ReceivingFace {
  readonly #receiving = new Receiving(this.relay, this)
  #streamId: Uint8Array = new Uint8Array(0)

  start(address: string, desc: { streamId: Uint8Array } | PinholeError): void {
    if (this.gone) return
    const account = this.relay.enter(this, address)
    if (account instanceof PinholeError) return this.refuse(account)
    if (desc instanceof PinholeError) return this.refuse(desc)
    this.#streamId = desc.streamId
    this.#receiving.claim(desc.streamId)
  }

  opened(): void {}

  write(messages: readonly Uint8Array[], _: number, done: (written: boolean) => void): void {
    if (!this.response.headersSent) this.head(200, {})
    const lines = messages.map((msg) => `${formatResult(this.#streamId, msg)}\n`)
    this.response.write(lines.join(''), (error) => done(!error))
  }

  close(): void {
    this.#receiving.close()
  }

  protected errorText(reason: PinholeError): string {
    return `${formatStreamError(reason.grpc, reason.message)}\n`
  }
}
