import { PinholeError } from '../../src/base/errors.ts'
import type { Link } from '../../mailbox/link.ts'

/** Two links that are each other's peer, in memory; closing either ends both in order. */
export function memoryLinkPair(): [Link, Link] {
  const a = new MemoryLink()
  const b = new MemoryLink()
  a.peer = b
  b.peer = a
  return [a, b]
}

class MemoryLink implements Link {
  peer: MemoryLink | undefined
  #queue: Uint8Array[] = []
  #waiting: ((message: Uint8Array | undefined) => void) | undefined
  #open = true

  async send(message: Uint8Array): Promise<void> {
    if (!this.#open || !this.peer)
      throw new PinholeError('ERR_LINK_CLOSED', 'the link in memory is closed')
    this.peer.#take(message.slice())
  }

  receive(): Promise<Uint8Array | undefined> {
    const message = this.#queue.shift()
    if (message || !this.#open) return Promise.resolve(message)
    return new Promise((resolve) => (this.#waiting = resolve))
  }

  async close(): Promise<void> {
    this.#end()
    if (this.peer) this.peer.#end()
  }

  #take(message: Uint8Array): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    if (waiting) waiting(message)
    else this.#queue.push(message)
  }

  #end(): void {
    this.#open = false
    this.#waiting?.(undefined)
    this.#waiting = undefined
  }
}
