/** What is kept of each paired node, and the port through which it is kept; `src/store` implements it. */

/** One paired node. */
export interface NodeRow {
  /** Unique; what a service and the command line call it by. */
  readonly name: string
  readonly kind: 'lnc' | 'lnd'
  /** The pairing, encrypted for this name: see `sealed-store.ts`. */
  readonly sealed: Uint8Array
  /** What the node said of itself when it was last asked. */
  readonly alias?: string | undefined
  /** 33 bytes in hex. */
  readonly pubkey?: string | undefined
  readonly network?: string | undefined
  /** Milliseconds since 1970. */
  readonly createdAtMs: number
}

/** The paired nodes on disk. What a call has changed is there for good when it returns; it may throw. */
export interface NodeRows {
  /** All of them, the first made first. */
  list(): readonly NodeRow[]
  get(name: string): NodeRow | undefined
  /** Adds the row or puts it in the place of the one of its name. */
  put(row: NodeRow): void
  /** Removes the row `name` and puts `row`, both in one step. */
  replace(name: string, row: NodeRow): void
  /** Whether there was one. */
  remove(name: string): boolean
}
