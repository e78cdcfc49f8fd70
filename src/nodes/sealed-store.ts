/** The pairing of one node in its row, sealed: what the row shows says nothing of the keys. */
import { text, utf8, wipe } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import { PinholeError } from '../base/errors.ts'
import {
  formatPairing,
  parsePairing,
  type Pairing,
  type PairingStore,
} from '../../mailbox/pairing/pairing.ts'
import type { NodeRow } from '../store/node-rows.ts'
import type { RowEditor } from './row-editor.ts'
import type { NodeSecret } from './secret.ts'

/** What a row keeps sealed. */
export interface SealedPairing {
  readonly pairing: Pairing
  /** Whether any certificate of the relay is taken. */
  readonly insecureTls: boolean
}

/** What a sealed store is made of. */
export interface SealedStoreOptions {
  readonly editor: RowEditor
  readonly secret: NodeSecret
  readonly name: string
  /** Kept with the pairing. */
  readonly insecureTls: boolean
  readonly clock: Clock
}

/**
 * Keeps the pairing of the node `name`: makes its row at the first save. A row that is removed meanwhile
 * is not made again; the save then rejects.
 */
export function sealedStore(options: SealedStoreOptions): PairingStore {
  const { editor, secret, name, insecureTls, clock } = options
  let known = false
  const save = async (pairing: Pairing): Promise<void> => {
    const sealed = await sealPairing(name, { pairing, insecureTls }, secret)
    await editor.edit(name, (row) => {
      if (known && !row) {
        throw new PinholeError('ERR_SESSION_STORE', `the node ${name} was removed from the store`)
      }
      if (!known && row) {
        const text = `another node was paired under the name ${name} just now`
        throw new PinholeError('ERR_NODE_EXISTS', text)
      }
      return { ...(row ?? { name, kind: 'lnc', createdAtMs: clock.wall() }), sealed }
    })
    known = true
  }
  return {
    load: async () => {
      const row = editor.rows.get(name)
      if (!row) return undefined
      known = true
      const stored = await openPairing(row, secret)
      if (stored.insecureTls !== insecureTls) await save(stored.pairing)
      return stored.pairing
    },
    save,
  }
}

/** What `row` keeps sealed. @throws ERR_NODE_SECRET, ERR_SESSION_STORE */
export async function openPairing(
  { name, sealed }: NodeRow,
  secret: NodeSecret,
): Promise<SealedPairing> {
  const content = await secret.open(name, sealed)
  const stored: unknown = JSON.parse(text(content))
  wipe(content)
  if (typeof stored === 'object' && stored !== null && 'pairing' in stored) {
    const insecureTls = 'insecureTls' in stored && stored.insecureTls === true
    return { pairing: parsePairing(String(stored.pairing)), insecureTls }
  }
  throw new PinholeError('ERR_SESSION_STORE', `the node ${name} is stored without a pairing`)
}

/** Seals `content` for the row `name`. @throws ERR_NODE_SECRET */
export async function sealPairing(
  name: string,
  { pairing, insecureTls }: SealedPairing,
  secret: NodeSecret,
): Promise<Uint8Array> {
  const content = utf8(JSON.stringify({ insecureTls, pairing: formatPairing(pairing) }))
  const sealed = await secret.seal(name, content)
  wipe(content)
  return sealed
}
