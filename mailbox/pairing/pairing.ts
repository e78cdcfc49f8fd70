/** What one end keeps of a pairing (LNC §3), and the port through which it keeps it. */
import { fromHex, toHex } from '../../src/base/bytes.ts'
import { PinholeError } from '../../src/base/errors.ts'

/** One pairing, at the client's or at the node's end. All of it is secret but `mailbox`. */
export interface Pairing {
  /** The relay, as it was given. */
  readonly mailbox: string
  /** Own static private key, 32 bytes; drawn before the first connection and kept from then on. */
  readonly localKey: Uint8Array
  /** Which phrase this pairing began with: `phraseId`. Stays when the phrase is gone. */
  readonly phraseId?: string | undefined
  /** The phrase, until a connection by keys alone has worked (client) or its boxes are deleted (node). */
  readonly phrase?: string | undefined
  /** The peer's static public key, 33 bytes, once the first handshake has shown it. */
  readonly remoteKey?: Uint8Array | undefined
  /** Client: when the macaroon expires, in milliseconds since 1970. */
  readonly expiresAtMs?: number | undefined
}

/**
 * Keeps one pairing. `save` must have put it where a crash cannot reach it before it resolves, whole or
 * not at all; what it and `load` reject with becomes `ERR_SESSION_STORE`.
 */
export interface PairingStore {
  load(): Promise<Pairing | undefined>
  save(pairing: Pairing): Promise<void>
}

/** A store that forgets with the process. */
export function memoryStore(pairing?: Pairing): PairingStore {
  let kept = pairing
  return {
    load: async () => kept,
    save: async (next) => {
      kept = next
    },
  }
}

/** A pairing as JSON, keys in hex. */
export function formatPairing(pairing: Pairing): string {
  const { mailbox, localKey, phraseId, phrase, remoteKey, expiresAtMs } = pairing
  const keys = { localKey: toHex(localKey), remoteKey: remoteKey && toHex(remoteKey) }
  return JSON.stringify({ mailbox, ...keys, phraseId, phrase, expiresAtMs }, undefined, 2) + '\n'
}

/**
 * Reads what `formatPairing` wrote.
 *
 * @throws PinholeError ERR_SESSION_STORE
 */
export function parsePairing(json: string): Pairing {
  const record = recordOf(json)
  const text = (name: string): string | undefined => {
    const value = record[name]
    return typeof value === 'string' ? value : undefined
  }
  const bytes = (name: string) => fromHex(text(name) ?? '-')
  const mailbox = text('mailbox')
  const localKey = bytes('localKey')
  if (mailbox === undefined || !localKey) throw broken('a mailbox or a local key is missing')
  const { expiresAtMs } = record
  return {
    mailbox,
    localKey,
    phraseId: text('phraseId'),
    phrase: text('phrase'),
    remoteKey: bytes('remoteKey'),
    expiresAtMs: typeof expiresAtMs === 'number' ? expiresAtMs : undefined,
  }
}

function recordOf(json: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(json)
    if (typeof value === 'object' && value !== null) return { ...value }
  } catch {
    // The parser's message would quote the file, which holds keys.
  }
  throw broken('it is no JSON object')
}

const broken = (why: string) => new PinholeError('ERR_SESSION_STORE', `no stored pairing: ${why}`)
