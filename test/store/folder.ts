/** A folder for one test file. */
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after } from 'node:test'
import { openStore, type Store, type StoreOptions } from '../../src/store/store.ts'

const folder = mkdtempSync(path.join(os.tmpdir(), 'pinhole-store-'))
after(() => rmSync(folder, { recursive: true }))
let count = 0

/** A path of its own below a folder that goes with the process. */
export const freshFile = (): string => path.join(folder, String(count++), 'pinhole.db')

/** Runs `use` with a store in a file of its own, or in `file`, and closes it. */
export async function withStore(
  use: (store: Store, file: string) => Promise<void>,
  options: StoreOptions = {},
  file = freshFile(),
): Promise<void> {
  const store = openStore(file, options)
  try {
    await use(store, file)
  } finally {
    await store.close()
  }
}

/** Bytes without the class that they came in. */
export const plain = (bytes: Uint8Array | undefined): Uint8Array | undefined =>
  bytes && new Uint8Array(bytes)
