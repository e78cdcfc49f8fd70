import type { Socket } from 'node:net'
import { networkOf, plainAddress } from './network.ts'

/** Who may connect, and how many at once; 0 is no limit. */
export interface ConnectionLimits {
  readonly connections: number
  /** From one IPv4 address or one IPv6 network of 64 bits. */
  readonly connectionsPerAddress: number
  /** IP addresses that may not. */
  readonly blocked: ReadonlySet<string>
}

/** Why a connection was turned away. */
export type Refusal = 'blocklist' | 'limits.connections' | 'limits.connectionsperaddress'

/** Every open connection, counted by where it comes from. */
export class Connections {
  readonly #limits: ConnectionLimits
  readonly #open = new Set<Socket>()
  readonly #byNetwork = new Map<string, number>()
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
    const { connections, connectionsPerAddress, blocked } = this.#limits
    if (blocked.size > 0 && blocked.has(plainAddress(address))) return 'blocklist'
    if (connections > 0 && this.#open.size >= connections) return 'limits.connections'
    const network = networkOf(address)
    const here = this.#byNetwork.get(network) ?? 0
    if (connectionsPerAddress > 0 && here >= connectionsPerAddress) {
      return 'limits.connectionsperaddress'
    }
    this.#open.add(socket)
    this.#byNetwork.set(network, here + 1)
    socket.once('close', () => this.#leave(socket, network))
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

  #leave(socket: Socket, network: string): void {
    this.#open.delete(socket)
    const left = (this.#byNetwork.get(network) ?? 1) - 1
    if (left > 0) this.#byNetwork.set(network, left)
    else this.#byNetwork.delete(network)
    if (this.#open.size > 0) return
    for (const resolve of this.#whenEmpty.splice(0)) resolve()
  }
}
