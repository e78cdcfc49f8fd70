/** Takes messages out of a box and writes them to a peer, whatever the face; one write at a time. */
import type { PinholeError } from '../../src/base/errors.ts'
import type { Box, ReadingEnd } from './box.ts'
import type { Relay } from './relay.ts'

/** What a face does for its reader. */
export interface ReceivingFace {
  /** The end was got; messages follow. */
  opened(): void
  /** Writes messages; `done(true)` once they are out of our hands, `done(false)` when they never will be. */
  write(messages: readonly Uint8Array[], bytes: number, done: (written: boolean) => void): void
  /** Tells the peer why nothing more comes. */
  refuse(reason: PinholeError): void
}

/** Message bytes that go out in one write. More does not make it faster, and it is memory per reader. */
const MAX_BATCH_BYTES = 256 * 1024

export class Receiving implements ReadingEnd {
  readonly #relay: Relay
  readonly #face: ReceivingFace
  #box: Box | undefined
  #withdraw: () => void = () => {}
  #scheduled = false
  #writing = false
  #over = false

  constructor(relay: Relay, face: ReceivingFace) {
    this.#relay = relay
    this.#face = face
  }

  get idle(): boolean {
    return !this.#writing
  }

  /** Asks for the box `id`. */
  claim(id: Uint8Array): void {
    const withdraw = this.#relay.boxes.claimRead(id, this, (outcome) => {
      if (this.#over) return
      if (outcome instanceof Error) return this.ended(outcome)
      this.#box = outcome
      this.#face.opened()
    })
    this.#withdraw = withdraw
  }

  wake(): void {
    if (this.#scheduled || this.#writing) return
    this.#scheduled = true
    this.#relay.flusher.schedule(this.#flush)
  }

  ended(reason: PinholeError): void {
    if (this.#over) return
    this.close()
    this.#face.refuse(reason)
  }

  /** The peer has gone: the end is free at once. */
  close(): void {
    if (this.#over) return
    this.#over = true
    this.#withdraw()
    if (this.#box) this.#relay.boxes.release(this.#box, this)
  }

  readonly #flush = (): void => {
    this.#scheduled = false
    const box = this.#box
    if (this.#over || this.#writing || !box) return
    const messages: Uint8Array[] = []
    let bytes = 0
    while (bytes < MAX_BATCH_BYTES) {
      const message = box.next()
      if (!message) break
      messages.push(message)
      bytes += message.length
    }
    if (messages.length === 0) return
    this.#writing = true
    this.#face.write(messages, bytes, (written) => {
      this.#writing = false
      if (this.#over || !written) return
      this.#relay.meter.relayed(box.key, messages.length, bytes)
      box.confirm(messages.length, this.#relay.boxes.giveBack)
      this.#flush()
    })
  }
}
