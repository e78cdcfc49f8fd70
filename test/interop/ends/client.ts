/** Our client end as a program, with the flags and lines of `lnc-peer client` (../README.md). */
import { setTimeout as sleep } from 'node:timers/promises'
import type { PairedNode } from '../../../mailbox/connect/connect.ts'
import { connect } from '../../../mailbox/connect/node.ts'
import * as echo from '../echo-client.ts'
import {
  answer,
  event,
  flags,
  givenKeys,
  log,
  readCommands,
  tellingStore,
  type Command,
  type Fields,
} from './lines.ts'

const ATTEMPT_MS = 30_000
const RETRY_MS = 20

const store = tellingStore()
let node: PairedNode | undefined

async function open({ timeoutMs }: Command): Promise<void> {
  if (node) throw new Error('already connected')
  node = await connect({
    mailbox: flags.relay,
    transport: flags.transport === 'grpc' ? 'grpc' : 'websocket',
    phrase: flags.phrase,
    keys: givenKeys(),
    store,
    insecureTls: true,
    log,
    timeoutMs,
  })
}

async function close(): Promise<void> {
  const closing = connected()
  node = undefined
  await closing.close()
}

function connected(): PairedNode {
  if (!node) throw new Error('not connected')
  return node
}

const timed = async (action: () => Promise<unknown>): Promise<Fields> => {
  const started = performance.now()
  await action()
  return { ms: performance.now() - started }
}

async function unaryCalls(command: Command): Promise<Fields> {
  const { count, bytes, intervalMs, timeoutMs } = command
  const payload = Uint8Array.from({ length: bytes }, (_, i) => i)
  const took: number[] = []
  for (let i = 0; i < count; i++) {
    const started = performance.now()
    await echo.unary(connected().rpc, payload, { timeoutMs })
    took.push(performance.now() - started)
    if (intervalMs > 0) await sleep(intervalMs)
  }
  took.sort((a, b) => a - b)
  const at = (share: number): number => took[Math.floor(took.length * share)] ?? 0
  const ms = took.reduce((sum, one) => sum + one, 0)
  return { count, ms, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: took.at(-1) ?? 0 }
}

async function parallelCalls({ parallel, bytes, durationMs, timeoutMs }: Command): Promise<Fields> {
  const payload = new Uint8Array(bytes)
  const started = performance.now()
  let count = 0
  const caller = async (): Promise<void> => {
    while (performance.now() - started < durationMs) {
      await echo.unary(connected().rpc, payload, { timeoutMs })
      count++
    }
  }
  await Promise.all(Array.from({ length: parallel }, caller))
  return { count, perSecond: (count * 1000) / (performance.now() - started) }
}

async function untilAnswered({ timeoutMs }: Command): Promise<void> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const left = deadline - performance.now()
    try {
      const attemptMs = Math.max(1, Math.min(ATTEMPT_MS, Math.ceil(left)))
      await echo.unary(connected().rpc, Buffer.from('there?'), { timeoutMs: attemptMs })
      return
    } catch (reason) {
      if (left <= 0) throw reason
      await sleep(RETRY_MS)
    }
  }
}

async function run(command: Command): Promise<Fields> {
  const { count, bytes, intervalMs, timeoutMs } = command
  const options = { timeoutMs }
  switch (command.cmd) {
    case 'connect':
      return timed(() => open(command))
    case 'disconnect':
      return timed(close)
    case 'status':
      return { status: node?.state.name ?? 'never connected' }
    case 'unary':
      return unaryCalls(command)
    case 'parallel':
      return parallelCalls(command)
    case 'wait':
      return timed(() => untilAnswered(command))
    case 'stream':
      return timed(() => echo.stream(connected().rpc, count, options))
    case 'ticks': {
      const onTick = (tick: number): void => event('tick', { tick })
      return timed(() => echo.ticks(connected().rpc, count, intervalMs, onTick, options))
    }
    case 'upload':
      return { ms: await echo.verified(echo.upload, connected().rpc, bytes, options) }
    case 'download':
      return { ms: await echo.verified(echo.download, connected().rpc, bytes, options) }
    default:
      throw new Error(`unknown command ${command.cmd}`)
  }
}

event('ready')
await readCommands((command) => void answer(command, () => run(command)))
await node?.close()
process.exit()
