/** HTTP/1.1 upgrades, WebSocket among them (RFC 9110 §7.8): after 101 the two sockets are one. */
import http, { type IncomingMessage } from 'node:http'
import type net from 'node:net'
import type { Duplex } from 'node:stream'
import type { Carrier, Exchange } from './exchange.ts'
import type { Outcome } from './passage.ts'
import { responseHead } from './response-head.ts'

/** Asks the upstream for the upgrade on a connection of its own; `settle` is called when one took place. */
export function sendUpgrade(
  exchange: Exchange,
  client: Duplex,
  { head, protocol }: { readonly head: Buffer; readonly protocol: string },
  connect: () => Promise<net.Socket>,
  settle: (outcome: Outcome) => void,
): void {
  const { method, path, host, fields } = exchange.outgoing
  const state: { request?: http.ClientRequest; isDone: boolean } = { isDone: false }
  const carrier: Carrier = {
    resume: () => {},
    abort() {
      state.isDone = true
      state.request?.destroy()
    },
  }
  exchange.carriedBy(carrier)
  connect().then(
    (upstream) => {
      if (state.isDone) return void upstream.destroy()
      state.request = http
        .request({
          createConnection: () => upstream,
          method,
          path,
          headers: ['Host', host, ...fields, 'Connection', 'Upgrade', 'Upgrade', protocol],
          setHost: false,
        })
        .on('information', (info) => exchange.info(info.statusCode, info.rawHeaders))
        .once('upgrade', (answer, socket, rest) => {
          exchange.leave()
          state.isDone = true
          client.write(switching(answer))
          if (head.length > 0) socket.write(head)
          if (rest.length > 0) client.write(rest)
          splice(client, socket, () => settle({ name: 'served', status: 101 }))
        })
        .once('response', (answer) => passOn(answer, exchange, carrier))
        .on('error', (reason) => exchange.fail(reason))
      state.request.end(() => exchange.sent())
    },
    (reason: unknown) => exchange.fail(reason),
  )
}

/** An answer that refuses the upgrade is an answer as any other. */
function passOn(answer: IncomingMessage, exchange: Exchange, carrier: Carrier): void {
  carrier.resume = () => void answer.resume()
  exchange.head(answer.statusCode ?? 502, answer.statusMessage ?? '', answer.rawHeaders, false)
  answer
    .on('data', (chunk: Buffer) => {
      if (!exchange.data(chunk)) answer.pause()
    })
    .once('end', () => exchange.end(answer.rawTrailers))
    .on('error', (reason) => exchange.fail(reason))
}

function switching(answer: IncomingMessage): string {
  const { fields } = responseHead(101, '', answer.rawHeaders)
  const lines = [...fields, 'Connection', 'Upgrade']
  if (answer.headers.upgrade !== undefined) lines.push('Upgrade', answer.headers.upgrade)
  let text = `HTTP/1.1 101 ${answer.statusMessage || 'Switching Protocols'}\r\n`
  for (let i = 0; i + 1 < lines.length; i += 2) text += `${lines[i]}: ${lines[i + 1]}\r\n`
  return `${text}\r\n`
}

/** Joins two sockets until both are closed; one that breaks takes the other with it. */
function splice(a: Duplex, b: Duplex, done: () => void): void {
  let open = 2
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    from.pipe(to)
    from.on('error', () => to.destroy())
    from.once('close', () => {
      // After an orderly end the other side has been told by `pipe`.
      if (!from.readableEnded) to.destroy()
      open--
      if (open === 0) done()
    })
  }
}
