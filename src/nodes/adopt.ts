/** An Aperture's session with its node becomes a node of ours: it goes on by its keys, nobody pairs again. */
import { nodeCrypto } from '../../mailbox/crypto/node.ts'
import type { Pairing } from '../../mailbox/pairing/pairing.ts'
import { phraseId } from '../../mailbox/pairing/phrase-id.ts'
import { formatPhrase, parsePhrase } from '../../mailbox/phrase.ts'
import type { Config } from '../config/load.ts'
import type { Imported, ImportedLncSession } from '../store/imported.ts'
import { CONFIGURED_NODE } from './names.ts'
import type { RowEditor } from './row-editor.ts'
import { sealPairing } from './sealed-store.ts'
import type { NodeSecret } from './secret.ts'

/** What an adoption needs. */
export interface Adoption {
  readonly imported: Pick<Imported, 'lncSessions' | 'adopted'>
  readonly authenticator: Pick<Config['authenticator'], 'passphrase' | 'lndhost'>
  readonly secret: NodeSecret
  readonly editor: RowEditor
}

/**
 * Makes the imported session of the configured phrase the node `default`; without a phrase or an lnd in the
 * configuration the newest session. A `default` that is there already stays, and the session for a later start.
 *
 * @throws ERR_NODE_SECRET, ERR_STORE_OPEN
 */
export async function adoptSession(adoption: Adoption): Promise<void> {
  const { imported, secret, editor } = adoption
  if (editor.rows.get(CONFIGURED_NODE)) return
  const session = chosen(imported.lncSessions(), adoption.authenticator)
  if (!session) return
  const { insecureTls, createdAtMs } = session
  const content = { pairing: pairingOf(session), insecureTls }
  const sealed = await sealPairing(CONFIGURED_NODE, content, secret)
  await editor.edit(CONFIGURED_NODE, (row) =>
    row ? undefined : { name: CONFIGURED_NODE, kind: 'lnc', sealed, createdAtMs },
  )
  await imported.adopted(session.id)
}

function chosen(
  sessions: readonly ImportedLncSession[],
  { passphrase, lndhost }: Adoption['authenticator'],
): ImportedLncSession | undefined {
  if (passphrase !== '') return sessions.find(({ phrase }) => sameWords(phrase, passphrase))
  if (lndhost !== '') return undefined
  return sessions.filter(({ remoteKey }) => remoteKey !== undefined).at(-1)
}

function sameWords(a: string, b: string): boolean {
  try {
    return formatPhrase(parsePhrase(a)) === formatPhrase(parsePhrase(b))
  } catch {
    return false
  }
}

/** The phrase stays until the keys have worked: the node's end may not have come that far. */
function pairingOf(session: ImportedLncSession): Pairing {
  const { mailbox, localKey, remoteKey, phrase, expiresAtMs } = session
  const id = phraseId(phrase, nodeCrypto)
  return { mailbox, localKey, remoteKey, phrase, phraseId: id, expiresAtMs }
}
