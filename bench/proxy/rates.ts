/** Requests each second: paid and open, in cleartext and by TLS, over HTTP/1.1, HTTP/2 and gRPC. */
import { GRPC_PATH } from './config.ts'
import { compare, type Contender, show } from './compare.ts'
import { GENERATOR, load, type Taken } from './http1.ts'
import { generate, type Proxy, SECONDS, type Stage } from './stage.ts'

const CONNECTIONS = 32
const WARM_UP_SECONDS = 2
const STREAMS = { connections: 4, streams: 8 }
const GRPC_BYTES = 64

/** A proxy with what opens it. */
interface Opened {
  readonly proxy: Proxy
  readonly authorization: string | undefined
}

async function paywalls(stage: Stage, secure: boolean, path: string): Promise<Opened[]> {
  const opened: Opened[] = []
  for (const maker of ['pinhole', 'go'] as const) {
    const proxy = await stage.paywall(maker, secure)
    opened.push({ proxy, authorization: await stage.buy(proxy, path) })
  }
  return opened
}

async function byHttp1(opened: readonly Opened[], path: string): Promise<Contender[]> {
  const contenders = opened.map(({ proxy, authorization }) => {
    const request = { url: `${proxy.url}${path}`, connections: CONNECTIONS, authorization }
    return { proxy, run: (seconds = SECONDS) => load({ ...request, seconds }) }
  })
  for (const { run } of contenders) await run(WARM_UP_SECONDS)
  return contenders.map(({ proxy, run }) => ({ proxy, run: () => run() }))
}

/** A valid credential over cleartext HTTP/1.1. */
export async function paid(stage: Stage): Promise<void> {
  const nginx = await stage.nginx()
  const opened = await paywalls(stage, false, '/paid')
  const others = nginx ? [{ proxy: nginx, authorization: opened[0]?.authorization }] : []
  const what = `paid, HTTP/1.1, ${CONNECTIONS} connections (${GENERATOR})`
  show(await compare(what, await byHttp1([...opened, ...others], '/paid')))
}

/** A service that costs nothing. */
export async function open(stage: Stage): Promise<void> {
  const nginx = await stage.nginx()
  const opened = (await paywalls(stage, false, '/paid')).map(({ proxy }) => ({
    proxy,
    authorization: undefined,
  }))
  const others = nginx ? [{ proxy: nginx, authorization: undefined }] : []
  const what = `open, HTTP/1.1, ${CONNECTIONS} connections (${GENERATOR})`
  show(await compare(what, await byHttp1([...opened, ...others], '/open')))
}

/** A valid credential by TLS. */
export async function tls(stage: Stage): Promise<void> {
  const opened = await paywalls(stage, true, '/paid')
  const http1 = await compare(`paid, TLS, HTTP/1.1 (${GENERATOR})`, await byHttp1(opened, '/paid'))
  const { connections, streams } = STREAMS
  const what = `paid, TLS, HTTP/2, ${connections} × ${streams} streams`
  const http2 = await compare(what, byHttp2(opened, ['--path=/paid']))
  show([...http1, ...http2])
}

/** A paid unary call by TLS, through to an upstream by TLS. */
export async function grpc(stage: Stage): Promise<void> {
  const opened = await paywalls(stage, true, GRPC_PATH)
  const { connections, streams } = STREAMS
  const what = `paid, TLS, gRPC unary, ${connections} × ${streams} calls`
  const flags = [`--path=${GRPC_PATH}`, `--grpc=${GRPC_BYTES}`]
  show(await compare(what, byHttp2(opened, flags)))
}

function byHttp2(opened: readonly Opened[], flags: readonly string[]): Contender[] {
  return opened.map(({ proxy, authorization = '' }) => {
    const args = [
      'http2',
      `--address=127.0.0.1:${proxy.port}`,
      `--authorization=${authorization}`,
      `--tls=${proxy.secure}`,
      `--connections=${STREAMS.connections}`,
      `--streams=${STREAMS.streams}`,
      `--duration=${SECONDS}s`,
      ...flags,
    ]
    return { proxy, run: () => byFrames(args) }
  })
}

async function byFrames(args: readonly string[]): Promise<Taken> {
  const { perSecond, p50, p99, failed } = await generate(args)
  if (Number(failed) > 0) throw new Error(`${String(failed)} answers were not as they should be`)
  return { perSecond: Number(perSecond), p50: Number(p50), p99: Number(p99) }
}
