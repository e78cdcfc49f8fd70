/** The calls of the test service over our client end; each checks what comes back. */
import type { CallOptions, Rpc } from '../../mailbox/rpc/rpc.ts'
import { Digest, patternChunks, patternDigest } from './echo-pattern.ts'
import {
  Bytes,
  Count,
  Interval,
  Size,
  Text,
  bytesOf,
  countOf,
  echoPath,
  intervalOf,
  sizeOf,
} from './echo-service.ts'

/** Sends the bytes and demands them back. */
export async function unary(rpc: Rpc, payload: Uint8Array, options: CallOptions): Promise<void> {
  const answer = await rpc.unary(echoPath('Unary'), Bytes.encode(bytesOf(payload)), options)
  if (!Buffer.from(Bytes.decode(answer).value).equals(payload)) {
    throw new Error('the answer differs from the request')
  }
}

/** Asks for `count` messages and demands 0 … count − 1. */
export async function stream(rpc: Rpc, count: number, options: CallOptions): Promise<void> {
  let due = 0
  const answers = rpc.stream(echoPath('Stream'), Count.encode(countOf(count)), options)
  for await (const answer of answers) demand(Count.decode(answer).value, due++)
  if (due !== count) throw new Error(`stream ended after ${due} of ${count}`)
}

/** Receives `count` ticks, each in its turn. */
export async function ticks(
  rpc: Rpc,
  count: number,
  intervalMs: number,
  onTick: (tick: number) => void,
  options: CallOptions,
): Promise<void> {
  let due = 0
  const answers = rpc.stream(echoPath('Ticks'), Interval.encode(intervalOf(intervalMs)), options)
  for await (const answer of answers) {
    demand(Count.decode(answer).value, due)
    onTick(due++)
    if (due === count) return
  }
  throw new Error(`ticks ended after ${due} of ${count}`)
}

/** Sends so many bytes of the pattern; the server tells what it got. */
export async function upload(rpc: Rpc, bytes: number, options: CallOptions): Promise<string> {
  const requests = async function* () {
    for (const chunk of patternChunks(bytes)) yield Bytes.encode(bytesOf(chunk))
  }
  for await (const answer of rpc.stream(echoPath('Upload'), requests(), options)) {
    return Text.decode(answer).value
  }
  throw new Error('upload ended without an answer')
}

/** Fetches so many bytes and sums them. */
export async function download(rpc: Rpc, bytes: number, options: CallOptions): Promise<string> {
  const digest = new Digest()
  const answers = rpc.stream(echoPath('Download'), Size.encode(sizeOf(bytes)), options)
  for await (const answer of answers) digest.add(Bytes.decode(answer).value)
  return digest.finish()
}

/** Runs a transfer with its digest known beforehand, and compares. */
export async function verified(
  transfer: (rpc: Rpc, bytes: number, options: CallOptions) => Promise<string>,
  rpc: Rpc,
  bytes: number,
  options: CallOptions,
): Promise<number> {
  const due = patternDigest(bytes)
  const started = performance.now()
  const got = await transfer(rpc, bytes, options)
  const ms = performance.now() - started
  if (got !== due) throw new Error(`got ${got} where ${due} was due`)
  return ms
}

function demand(got: number, due: number): void {
  if (got !== due) throw new Error(`message ${got} where ${due} was due`)
}
