/** Two Go-Back-N ends over a link in memory that a test can hold, break and look into. */
import { connectGbn, type GbnLink } from '../../../mailbox/gbn/link.ts'
import { listenGbn, type GbnListener } from '../../../mailbox/gbn/listen.ts'
import type { Link } from '../../../mailbox/link.ts'
import { ManualClock } from '../../../src/base/clock.ts'
import { memoryLinkPair } from '../memory-link.ts'

export const settled = () => new Promise((resolve) => setImmediate(resolve))
export const bytes = (...values: number[]) => Uint8Array.from(values)

/** Lets virtual time pass in small steps, with room for promises between them. */
export async function pass(clock: ManualClock, ms: number): Promise<void> {
  for (let end = clock.now() + ms; clock.now() < end;) {
    clock.advance(Math.min(100, end - clock.now()))
    await settled()
  }
}

/** A link that a test can hold, break and look into. */
export class Wire implements Link {
  sent: Uint8Array[] = []
  closed = 0
  /** What becomes of a message. */
  onSend: (message: Uint8Array) => Promise<void> = () => Promise.resolve()
  readonly #lower: Link

  constructor(lower: Link) {
    this.#lower = lower
  }

  async send(message: Uint8Array): Promise<void> {
    this.sent.push(message)
    await this.onSend(message)
    await this.#lower.send(message)
  }

  receive(): Promise<Uint8Array | undefined> {
    return this.#lower.receive()
  }

  close(): Promise<void> {
    this.closed++
    return this.#lower.close()
  }
}

export interface Pair {
  readonly clock: ManualClock
  readonly client: GbnLink
  readonly server: GbnLink
  readonly listener: GbnListener
  readonly near: Wire
  readonly far: Wire
}

export async function pair(): Promise<Pair> {
  const clock = new ManualClock()
  const [a, b] = memoryLinkPair()
  const [near, far] = [new Wire(a), new Wire(b)]
  const listener = listenGbn(far, { clock })
  const [client, server] = await Promise.all([connectGbn(near, { clock }), listener.accept()])
  return { clock, client, server, listener, near, far }
}

/** Makes `wire` drop the messages that `drops` picks. */
export function memoryLoss(wire: Wire, drops: (message: Uint8Array) => boolean) {
  const count = { lost: 0 }
  const send = wire.send.bind(wire)
  wire.send = async (message) => {
    if (drops(message)) count.lost++
    else await send(message)
  }
  return count
}
