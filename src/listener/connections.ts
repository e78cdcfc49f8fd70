import type { Socket } from 'node:net'

/** How many connections may be open at once; 0 is no limit. */
export interface ConnectionLimits {
  readonly connections: number
  readonly connectionsPerAddress: number
}

/** Why a connection was turned away. */
export type Refusal = 'connections' | 'connectionsperaddress'

/** Every open connection, counted by the address it comes from. */
export class Connections {
  readonly #limits: ConnectionLimits
  readonly #open = new Set<Socket>()
  readonly #byAddress = new Map<string, number>()
  #whenEmpty: (() => void)[] = []

  constructor(limits: ConnectionLimits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#open.size
  }

  /** Counts `socket` until it closes, or says which limit keeps it out. */
  admit(socket: Socket): Refusal | undefined {
    const address = socket.remoteAddress ?? ''
    const { connections, connectionsPerAddress } = this.#limits
    const here = this.#byAddress.get(address) ?? 0
    if (connections > 0 && this.#open.size >= connections) return 'connections'
    if (connectionsPerAddress > 0 && here >= connectionsPerAddress) return 'connectionsperaddress'
    this.#open.add(socket)
    this.#byAddress.set(address, here + 1)
    socket.once('close', () => this.#leave(socket, address))
    return undefined
  }

  /** Resolves as soon as no connection is open. */
  empty(): Promise<void> {
    if (this.#open.size === 0) return Promise.resolve()
    return new Promise((resolve) => this.#whenEmpty.push(resolve))
  }

  /** Cuts whatever is still open. */
  destroy(): void {
    for (const socket of this.#open) socket.destroy()
  }

  #leave(socket: Socket, address: string): void {
    this.#open.delete(socket)
    const left = (this.#byAddress.get(address) ?? 1) - 1
    if (left > 0) this.#byAddress.set(address, left)
    else this.#byAddress.delete(address)
    if (this.#open.size > 0) return
    for (const resolve of this.#whenEmpty.splice(0)) resolve()
  }
}
