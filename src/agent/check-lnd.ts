/** Whether the lnd that an agent is to serve is there, unlocked, and takes the macaroon. */
import { dialLink, type Target } from '../../mailbox/rpc/dial.ts'
import { openChannel, type Channel } from '../../mailbox/rpc/channel.ts'
import { GrpcCode, isPinholeError, PinholeError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'

const GET_STATE = '/lnrpc.State/GetState'
const GET_INFO = '/lnrpc.Lightning/GetInfo'
const TIMEOUT_MS = 10_000
const NOTHING = new Uint8Array(0)

/** `lnrpc.WalletState`: what lnd answers before it can serve; field 1 of the answer. */
const NOT_READY: ReadonlyMap<number, string> = new Map([
  [0, 'has no wallet yet'],
  [1, 'is locked'],
  [2, 'is starting up'],
  [255, 'waits to start'],
])
const FIELD_1_VARINT = 0x08

/** @throws ERR_AGENT_LND, whose gRPC code is PERMISSION_DENIED when lnd is there and refuses the macaroon */
export async function checkLnd(target: Target, macaroon: string, log: Log): Promise<void> {
  const channel = openChannel(dialLink(target), { metadata: [['macaroon', macaroon]] })
  const where = `lnd at ${target.host}:${target.port}`
  try {
    await checkState(channel, where)
    await checkMacaroon(channel, where, log)
  } catch (reason) {
    if (isPinholeError(reason, 'ERR_AGENT_LND')) throw reason
    throw refused(where, `cannot be used: ${messageOf(reason)}`, reason)
  } finally {
    await channel.close()
  }
}

/** Whether lnd can serve: it has a wallet, unlocked, and has started. @throws ERR_AGENT_LND, or what the call throws */
export async function checkState(channel: Channel, where: string): Promise<void> {
  const answer = await channel
    .unary(GET_STATE, NOTHING, { timeoutMs: TIMEOUT_MS })
    .catch((reason: unknown) => {
      // Before lnd 0.13 nobody tells.
      if (isPinholeError(reason) && reason.grpc === GrpcCode.unimplemented) return undefined
      throw reason
    })
  if (!answer) return
  const state = answer[0] === FIELD_1_VARINT ? decodeVarint(answer.subarray(1)) : 0
  const fault = NOT_READY.get(state)
  if (fault !== undefined) throw refused(where, fault)
}

/**
 * GetInfo may well be more than the macaroon allows; then it is at least a macaroon of this lnd.
 * @throws ERR_AGENT_LND when it is none of this lnd or has expired, or what the call throws
 */
export async function checkMacaroon(channel: Channel, where: string, log: Log): Promise<void> {
  try {
    await channel.unary(GET_INFO, NOTHING, { timeoutMs: TIMEOUT_MS })
  } catch (reason) {
    if (!isPinholeError(reason, 'ERR_NODE_PERMISSION', 'ERR_SESSION_EXPIRED')) throw reason
    if (!/permission denied$/.test(reason.message)) {
      const why = `does not take the macaroon: ${reason.message}`
      throw refused(where, why, reason, GrpcCode.permissionDenied)
    }
    log.info({}, 'the macaroon does not allow GetInfo')
  }
}

function decodeVarint(bytes: Uint8Array): number {
  let value = 0
  for (const [at, byte] of bytes.subarray(0, 5).entries()) {
    value += (byte & 0x7f) * 128 ** at
    if (byte < 0x80) return value
  }
  return value
}

const messageOf = (reason: unknown) => (reason instanceof Error ? reason.message : String(reason))

const refused = (
  where: string,
  why: string,
  cause?: unknown,
  grpc: number = GrpcCode.unavailable,
) => new PinholeError('ERR_AGENT_LND', `${where} ${why}`, { cause, grpc })
