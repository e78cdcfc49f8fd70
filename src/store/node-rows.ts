/** The paired nodes as they lie on disk. What is secret of them arrives here sealed. */

/** One paired node. */
export interface NodeRow {
  readonly name: string
  /** `lnc` is reached by Lightning Node Connect, `lnd` directly. */
  readonly kind: 'lnc' | 'lnd'
  /** Keys and address, encrypted by whoever stores the row. */
  readonly sealed: Uint8Array
  readonly alias?: string | undefined
  /** 66 hex digits. */
  readonly pubkey?: string | undefined
  readonly network?: string | undefined
  /** Milliseconds since 1970. */
  readonly createdAtMs: number
}

/** Keeps paired nodes by name. Writes reject with `ERR_STORE_OPEN` when the disk fails. */
export interface NodeRows {
  /** In the order of pairing. */
  list(): readonly NodeRow[]
  get(name: string): NodeRow | undefined
  /** Adds the node, or replaces the one of that name; resolves when it would survive a crash. */
  put(row: NodeRow): Promise<void>
  /**
   * Forgets the node, its pooled invoices and how far its invoice stream was heard. Resolves to whether there
   * was one.
   */
  remove(name: string): Promise<boolean>
}
