/** The `Link` that an established Go-Back-N connection gives: queues between the application and the core. */
import type { Clock } from '../../src/base/clock.ts'
import { PinholeError } from '../../src/base/errors.ts'
import type { Link } from '../link.ts'
import type { Driver } from './driver.ts'
import { MAX_MESSAGE_BYTES } from './receive-window.ts'

/** An established connection. `send` resolves when the message has its place in the window of 20. */
export interface GbnLink extends Link {
  /** The link below was lost, or is back: then everything outstanding is resent at once, or else a ping. */
  lowerChanged(isUp: boolean): void
  /** Resolves when the connection is over: without an error after a FIN of either end. Never rejects. */
  readonly closed: Promise<PinholeError | undefined>
}

/** How long `close` waits in all for what was sent before to arrive and for the FIN to leave. */
export const CLOSE_MS = 1000

interface WaitingSend {
  readonly message: Uint8Array
  readonly taken: () => void
  readonly failed: (error: PinholeError) => void
}

interface WaitingReceive {
  readonly taken: (message: Uint8Array | undefined) => void
  readonly failed: (error: PinholeError) => void
}

type Phase =
  | { readonly name: 'open' }
  | { readonly name: 'closing'; drained(): void }
  | { readonly name: 'over'; readonly error: PinholeError | undefined }

const TAKEN = Promise.resolve()

/** A `GbnLink` on `driver`, which tells it by the methods other than `GbnLink`'s. */
export class DrivenLink implements GbnLink {
  readonly closed: Promise<PinholeError | undefined>
  readonly #driver: Driver
  readonly #clock: Clock
  readonly #release: () => Promise<void>
  #phase: Phase = { name: 'open' }
  #resolveClosed: (error: PinholeError | undefined) => void = () => {}
  /** Messages not read; the core bounds them by holding ACKs back. */
  #unread: Uint8Array[] = []
  #reader: WaitingReceive | undefined
  #senders: WaitingSend[] = []
  #closing: Promise<void> | undefined

  /** @param release what to let go of once the link is closed */
  constructor(driver: Driver, clock: Clock, release: () => Promise<void>) {
    this.#driver = driver
    this.#clock = clock
    this.#release = release
    this.closed = new Promise((resolve) => (this.#resolveClosed = resolve))
  }

  send(message: Uint8Array): Promise<void> {
    if (this.#phase.name !== 'open') return Promise.reject(this.#closedError())
    if (message.length > MAX_MESSAGE_BYTES) {
      const text = `a message of ${message.length} bytes exceeds ${MAX_MESSAGE_BYTES}`
      return Promise.reject(new PinholeError('ERR_LINK_MESSAGE_SIZE', text))
    }
    if (this.#senders.length === 0 && this.#driver.hasRoom) {
      this.#driver.on({ type: 'message', message })
      return TAKEN
    }
    return new Promise((taken, failed) => this.#senders.push({ message, taken, failed }))
  }

  receive(): Promise<Uint8Array | undefined> {
    const message = this.#unread.shift()
    if (message !== undefined) {
      if (this.#phase.name === 'open') this.#driver.on({ type: 'read' })
      return Promise.resolve(message)
    }
    if (this.#phase.name === 'over' && this.#phase.error) return Promise.reject(this.#phase.error)
    if (this.#phase.name !== 'open') return Promise.resolve(undefined)
    return new Promise((taken, failed) => (this.#reader = { taken, failed }))
  }

  lowerChanged(isUp: boolean): void {
    if (this.#phase.name !== 'over') this.#driver.on({ type: isUp ? 'wake' : 'sleep' })
  }

  /** Lets what was sent before arrive, sends FIN once; takes at most `CLOSE_MS`. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** Whether `close` was called, which then lets go of the rest. */
  get isClosing(): boolean {
    return this.#closing !== undefined
  }

  async #close(): Promise<void> {
    if (this.#phase.name === 'open') await this.#sayFin()
    this.#unread = []
    await this.#release()
  }

  async #sayFin(): Promise<void> {
    const endMs = this.#clock.now() + CLOSE_MS
    const drained = new Promise<void>((resolve) => {
      this.#phase = { name: 'closing', drained: resolve }
    })
    const cancel = this.#clock.after(CLOSE_MS, () => this.#drained())
    // What nobody will read must not hold the peer up.
    this.#unread.splice(0).forEach(() => this.#driver.on({ type: 'read' }))
    this.#reader?.taken(undefined)
    this.#reader = undefined
    this.settled()
    await drained
    cancel()
    if (!this.#isOver()) this.#driver.on({ type: 'close' })
    await this.#driver.flushed(endMs - this.#clock.now())
  }

  #drained(): void {
    if (this.#phase.name === 'closing') this.#phase.drained()
  }

  #isOver(): boolean {
    return this.#phase.name === 'over'
  }

  /** The core hands a message up. */
  delivered(message: Uint8Array): void {
    const reader = this.#reader
    if (reader === undefined && this.#phase.name === 'open') {
      this.#unread.push(message)
      return
    }
    this.#reader = undefined
    this.#driver.on({ type: 'read' })
    reader?.taken(message)
  }

  /** The connection is over. What was delivered can still be read. */
  ended(error: PinholeError | undefined): void {
    const phase = this.#phase
    if (phase.name === 'over') return
    this.#phase = { name: 'over', error }
    for (const { failed } of this.#senders.splice(0)) failed(this.#closedError())
    if (error) this.#reader?.failed(error)
    else this.#reader?.taken(undefined)
    this.#reader = undefined
    if (phase.name === 'closing') phase.drained()
    this.#resolveClosed(error)
  }

  /** There may be room for those who wait to send. */
  settled(): void {
    while (this.#senders.length > 0 && this.#driver.hasRoom) {
      const sender = this.#senders.shift()
      if (sender === undefined) return
      this.#driver.on({ type: 'message', message: sender.message })
      sender.taken()
    }
    if (this.#senders.length === 0 && this.#driver.outstanding === 0) this.#drained()
  }

  #closedError(): PinholeError {
    const error = this.#phase.name === 'over' ? this.#phase.error : undefined
    return error ?? new PinholeError('ERR_LINK_CLOSED', 'the connection is closed')
  }
}
