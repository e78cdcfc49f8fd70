/** The relay as both ends of LNC meet it, at the port itself and under the name that the world knows. */
import { type Check, fine, skipped, type Verdict, wrong } from './check.ts'
import { type Echo, echoThrough, type EchoEnd, type EchoOptions } from './echo.ts'

/** How long each end may take to come to the relay, in milliseconds. */
const END_MS = 8_000

/** The check, by how long each end may take, in milliseconds. */
export const relayCheckBy = (endMs: number): Check => ({
  name: 'relay',
  limitMs: 25_000,
  async run({ config, address, outside, clock }, signal) {
    if (!config.hashmail.enabled) return [skipped('this hub hosts no relay (hashmail.enabled)')]
    if (address === undefined) return [skipped('no hub runs', 'Start it (pinhole start).')]
    const places = [address, ...(outside && outside.origin !== address ? [outside.origin] : [])]
    return Promise.all(places.map((place) => look(place, { clock, signal, endMs })))
  },
})

/** The check. */
export const relayCheck: Check = relayCheckBy(END_MS)

async function look(place: string, options: EchoOptions): Promise<Verdict> {
  const echo = await echoThrough(place, options)
  return echo.done ? fine(`${place}: ${timesOf(echo)}`) : refused(place, echo)
}

const timesOf = ({ pairedMs, echoMs }: Extract<Echo, { done: true }>) =>
  `paired through it in ${Math.round(pairedMs)} ms by gRPC and WebSocket, 64 KiB there and back in ${Math.round(echoMs)} ms`

const WHAT: Readonly<Record<EchoEnd, string>> = {
  grpc: "the node's end cannot use it by gRPC",
  websocket: "the client's end cannot use it by WebSocket",
  link: 'both ends met, but nothing comes through',
}

const ADVICE: Readonly<Record<EchoEnd, string>> = {
  grpc: 'A proxy in front must speak HTTP/2 with ALPN h2 and pass gRPC on (grpc_pass in nginx, h2c in Caddy and Traefik).',
  websocket:
    'A proxy in front must pass the upgrade on (Upgrade and Connection headers in nginx) with HTTP/1.1 to the hub.',
  link: 'A proxy in front must neither buffer nor cut streams: switch buffering off and let them live for hours.',
}

function refused(place: string, { end, reason }: Extract<Echo, { done: false }>): Verdict {
  const why = reason instanceof Error ? reason.message : String(reason)
  return wrong(`${place}: ${WHAT[end]}: ${why}`, ADVICE[end])
}
