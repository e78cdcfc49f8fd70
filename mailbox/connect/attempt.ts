/** One attempt: transport ► Go-Back-N ► MsgData ► Noise ► gRPC, from nothing to a channel. */
import type { Clock } from '../../src/base/clock.ts'
import { PinholeError } from '../../src/base/errors.ts'
import type { Log } from '../../src/base/log.ts'
import type { LncCrypto } from '../crypto/crypto.ts'
import { Hearing } from '../gbn/hearing.ts'
import { connectGbn, type GbnLink } from '../gbn/link.ts'
import { messageLink } from '../message.ts'
import { initiate, type NoiseSession } from '../noise/handshake.ts'
import type { Version } from '../noise/version.ts'
import { parseAuthData } from '../rpc/auth-data.ts'
import { openChannel, type Channel } from '../rpc/channel.ts'
import type { Metadata } from '../rpc/rpc.ts'
import { evenLink } from '../noise/even-link.ts'
import {
  onUpOrDown,
  openMailbox,
  type MailboxLink,
  type MailboxStatus,
} from '../transport/mailbox-link.ts'
import type { RelayClient } from '../transport/relay-client.ts'
import type { Target } from './target.ts'

/** What an attempt is made of. */
export interface AttemptOptions {
  readonly target: Target
  readonly localKey: Uint8Array
  /** The stretched phrase; asked for at the phrase's door only. */
  readonly stretched: () => Promise<Uint8Array>
  readonly crypto: LncCrypto
  readonly openRelay: () => RelayClient
  readonly minVersion: Version | undefined
  /** How long the node may owe an answer before `onHearing` is told. */
  readonly silenceMs: number | undefined
  readonly clock: Clock
  readonly log: Log
  /** Told of every change of the way to the boxes, until the node answers. */
  readonly onMailbox: (status: MailboxStatus) => void
  /** Told when the node has answered. */
  readonly onAnswer: () => void
  /** Told when the node of a connection that stands falls silent (false), and when it is heard again. */
  readonly onHearing: (isHeard: boolean) => void
  /** Keeps the node's key; a rejection fails the attempt. */
  readonly onRemoteKey: (key: Uint8Array) => Promise<void>
  /** Keeps what the macaroon says; a rejection fails the attempt. */
  readonly onMetadata: (metadata: Metadata) => Promise<void>
  readonly signal: AbortSignal
}

/** What a successful attempt gives. */
export interface Connection {
  readonly channel: Channel
  /** Resolves when it is no more: why, or nothing after an orderly end. Never rejects. */
  readonly lost: Promise<PinholeError | undefined>
  /** Ends it, if it has not, by FIN, and lets go of everything. Idempotent; never rejects. */
  close(): Promise<void>
}

/** Makes a connection or rejects, with everything let go; aborting rejects with the signal's reason. */
export async function attempt(options: AttemptOptions): Promise<Connection> {
  const { target, clock, log, signal } = options
  const relay = options.openRelay()
  const { clientToServer: sendId, serverToClient: receiveId } = target.ids
  const mailbox = openMailbox(relay, { sendId, receiveId }, { owner: false, clock, log })
  const stop = mailbox.onStatus(options.onMailbox)
  try {
    const hearing = listenTo(options)
    const gbn = await connectGbn(hearing?.over(mailbox) ?? mailbox, {
      clock,
      log,
      signal,
      // The mailbox is tried for as long as the session wants: it says when to stop.
      handshakeTimeoutMs: Infinity,
      onLower: (changed) => onUpOrDown(mailbox, changed),
    })
    stop()
    options.onAnswer()
    const channel = await speak(gbn, options)
    hearing?.start(() => gbn.lowerChanged(true))
    void gbn.closed.then(() => hearing?.stop())
    const close = async () => {
      hearing?.stop()
      await channel.close()
      await gbn.close()
      await relay.close()
    }
    const lost = Promise.race([whyLost(channel, gbn), whenMoved(mailbox, options)])
    return { channel, lost, close }
  } catch (reason) {
    stop()
    await mailbox.close()
    await relay.close()
    throw reason
  }
}

function listenTo({ silenceMs, clock, onHearing }: AttemptOptions): Hearing | undefined {
  return silenceMs === undefined
    ? undefined
    : new Hearing({ silenceMs, clock, onChange: onHearing })
}

async function speak(gbn: GbnLink, options: AttemptOptions): Promise<Channel> {
  const { signal, clock } = options
  const hangUp = () => void gbn.close()
  signal.addEventListener('abort', hangUp)
  try {
    const noise = await shakeHands(gbn, options)
    signal.throwIfAborted()
    const metadata = parseAuthData(noise.authData)
    return openChannel(evenLink(noise.link), { metadata, clock })
  } catch (reason) {
    await gbn.close()
    throw signal.aborted ? signal.reason : reason
  } finally {
    signal.removeEventListener('abort', hangUp)
  }
}

async function shakeHands(gbn: GbnLink, options: AttemptOptions): Promise<NoiseSession> {
  const { target, crypto, clock, localKey, minVersion, onRemoteKey, onMetadata } = options
  const remoteStatic = target.door === 'keys' ? target.remoteKey : undefined
  const stretched = target.door === 'phrase' ? await options.stretched() : undefined
  return initiate(messageLink(gbn), {
    crypto,
    clock,
    static: localKey,
    remoteStatic,
    stretched,
    ...(minVersion === undefined ? {} : { minVersion }),
    onRemoteStatic: onRemoteKey,
    onAuthData: (authData) => onMetadata(parseAuthData(authData)),
  })
}

/** At the phrase's door: boxes gone for so long are not those of a relay that restarted. */
const MOVED_MS = 1500

/**
 * Resolves when the node has moved from the phrase's door to the keys' while we are still at the first:
 * another process of it, which knows nothing of this connection, has deleted the boxes.
 */
function whenMoved(
  mailbox: MailboxLink,
  { target, clock }: AttemptOptions,
): Promise<PinholeError | undefined> {
  return new Promise((resolve) => {
    if (target.door !== 'phrase') return
    const moved = () =>
      resolve(new PinholeError('ERR_LINK_CLOSED', "the node has left the phrase's boxes"))
    let stop = () => {}
    mailbox.onStatus((status) => {
      stop()
      if (status.name === 'failing' && status.failure.kind === 'not-found') {
        stop = clock.after(MOVED_MS, moved)
      }
    })
  })
}

/** The channel knows what the layers above saw, Go-Back-N why the line ended. */
async function whyLost(channel: Channel, gbn: GbnLink): Promise<PinholeError | undefined> {
  const seen = await channel.closed
  const line = await Promise.race([gbn.closed, Promise.resolve(undefined)])
  return line ?? seen
}
