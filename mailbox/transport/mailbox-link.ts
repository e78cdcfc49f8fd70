/**
 * The lowest `Link` of LNC: two boxes at a relay, one per direction (LNC §2, §11). It heals itself and
 * never breaks: what is sent while a side is down is dropped, and Go-Back-N above sends it again.
 */
import { compact } from '../../src/base/bytes.ts'
import { systemClock, type Clock } from '../../src/base/clock.ts'
import { PinholeError } from '../../src/base/errors.ts'
import { silentLog, type Log } from '../../src/base/log.ts'
import type { Link } from '../link.ts'
import type { RelayFailure } from './failure.ts'
import { HealingStream } from './healing-stream.ts'
import type { RelayClient, RelayStream, SendStream } from './relay-client.ts'

/** How the way to the peer's boxes stands. A `failing` link goes on trying. */
export type MailboxStatus =
  | { readonly name: 'connecting' }
  | { readonly name: 'open' }
  | { readonly name: 'failing'; readonly failure: RelayFailure }
  | { readonly name: 'closed' }

/** A `Link` over a relay. */
export interface MailboxLink extends Link {
  readonly status: MailboxStatus
  /** Calls `listener` after every change of `status`; the returned function ends that. */
  onStatus(listener: (status: MailboxStatus) => void): () => void
  /** Closes the link and, at the end that owns the boxes, deletes both. Never rejects. */
  retire(): Promise<void>
}

/** Which boxes, seen from this end. */
export interface MailboxIds {
  readonly sendId: Uint8Array
  readonly receiveId: Uint8Array
}

/** What else a mailbox link is made of. */
export interface MailboxOptions {
  /** The server end owns the boxes: it creates both and deletes them (LNC §11.1). */
  readonly owner: boolean
  readonly clock?: Clock | undefined
  readonly log?: Log | undefined
  readonly random?: (() => number) | undefined
}

/**
 * What may wait for `receive`. A peer that keeps to the window of 20 stays far below; a relay that
 * floods loses its messages.
 */
const MAX_WAITING_MESSAGES = 512
const MAX_WAITING_BYTES = 8 * 1024 * 1024

/** Opens the two boxes over `relay` and keeps them open. */
export function openMailbox(
  relay: RelayClient,
  ids: MailboxIds,
  options: MailboxOptions,
): MailboxLink {
  return new BoxPair(relay, ids, options)
}

/** Tells `changed` whenever `mailbox` has come up or gone down; the returned function ends that. */
export function onUpOrDown(mailbox: MailboxLink, changed: (isUp: boolean) => void): () => void {
  return mailbox.onStatus(({ name }) => {
    if (name === 'open') changed(true)
    else if (name === 'failing') changed(false)
  })
}

class BoxPair implements MailboxLink {
  readonly #relay: RelayClient
  readonly #ids: MailboxIds
  readonly #owner: boolean
  readonly #log: Log
  readonly #sender: HealingStream<SendStream>
  readonly #receiver: HealingStream<RelayStream>
  readonly #listeners = new Set<(status: MailboxStatus) => void>()
  #status: MailboxStatus = { name: 'connecting' }
  #queue: Uint8Array[] = []
  #queuedBytes = 0
  #waiting: ((message: Uint8Array | undefined) => void) | undefined
  #closing: Promise<void> | undefined

  constructor(relay: RelayClient, ids: MailboxIds, options: MailboxOptions) {
    const { owner, clock = systemClock, log = silentLog, random = Math.random } = options
    this.#relay = relay
    this.#ids = ids
    this.#owner = owner
    this.#log = log
    const common = { clock, random, onChange: () => this.#changed() }
    const prepare = (id: Uint8Array) => (owner ? { prepare: () => relay.createBox(id) } : {})
    this.#sender = new HealingStream({
      ...common,
      ...prepare(ids.sendId),
      onOpen: () => this.#receiver.hurry(),
      open: (events) => relay.send(ids.sendId, events),
    })
    this.#receiver = new HealingStream({
      ...common,
      ...prepare(ids.receiveId),
      onOpen: () => this.#sender.hurry(),
      open: (events) => relay.receive(ids.receiveId, events),
      onMessage: (message) => this.#take(message),
    })
    this.#receiver.start()
    this.#sender.start()
  }

  get status(): MailboxStatus {
    return this.#status
  }

  onStatus(listener: (status: MailboxStatus) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async send(message: Uint8Array): Promise<void> {
    if (this.#closing) throw new PinholeError('ERR_LINK_CLOSED', 'the mailbox link is closed')
    await this.#sender.stream?.write(message)
  }

  receive(): Promise<Uint8Array | undefined> {
    const message = this.#queue.shift()
    if (message) this.#queuedBytes -= message.length
    if (message || this.#closing) return Promise.resolve(message)
    return new Promise((resolve) => (this.#waiting = resolve))
  }

  close(): Promise<void> {
    // Not in this call: what ends must see that the link is closing.
    this.#closing ??= Promise.resolve().then(() => this.#end())
    return this.#closing
  }

  async retire(): Promise<void> {
    await this.close()
    if (!this.#owner) return
    const failures = await Promise.all(
      [this.#ids.sendId, this.#ids.receiveId].map((id) => this.#relay.deleteBox(id)),
    )
    for (const failed of failures) {
      if (failed) this.#log.debug({ error: failed.error }, 'a box was not deleted')
    }
  }

  async #end(): Promise<void> {
    this.#queue = []
    this.#waiting?.(undefined)
    this.#waiting = undefined
    this.#changed()
    // The last message must be out before the reader hangs up: a relay may drop both at once.
    await this.#sender.close()
    await this.#receiver.close()
  }

  #take(message: Uint8Array): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    if (waiting) return waiting(compact(message))
    const full = this.#queue.length >= MAX_WAITING_MESSAGES
    if (this.#closing || full || this.#queuedBytes + message.length > MAX_WAITING_BYTES) return
    this.#queue.push(compact(message))
    this.#queuedBytes += message.length
  }

  #changed(): void {
    const status = this.#closing ? ({ name: 'closed' } as const) : this.#combined()
    if (sameStatus(status, this.#status)) return
    this.#status = status
    this.#log.debug(describe(status), 'mailbox')
    for (const listener of [...this.#listeners]) listener(status)
  }

  #combined(): MailboxStatus {
    const sides = [this.#receiver, this.#sender]
    for (const { phase, failure } of sides) {
      if (phase === 'failing' && failure) return { name: 'failing', failure }
    }
    return sides.every((side) => side.phase === 'open') ? { name: 'open' } : { name: 'connecting' }
  }
}

function sameStatus(a: MailboxStatus, b: MailboxStatus): boolean {
  if (a.name === 'failing' && b.name === 'failing') return a.failure.kind === b.failure.kind
  return a.name === b.name
}

function describe(status: MailboxStatus): Record<string, unknown> {
  return status.name === 'failing'
    ? { status: status.failure.kind, reason: status.failure.error.message }
    : { status: status.name }
}
