/**
 * Pairs a node by its phrase and stores it. The pairing is on disk before anything is sent, under a name of the
 * moment when none is given: the node's alias is known only once the phrase is used up. The same words again
 * go on with what an earlier try has stored.
 */
import type { Clock } from '../base/clock.ts'
import { PinholeError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { NodeRows } from '../store/node-rows.ts'
import type { PairedNode } from '../../mailbox/connect/connect.ts'
import { connect } from '../../mailbox/connect/node.ts'
import type { SessionState } from '../../mailbox/connect/state.ts'
import { nodeCrypto } from '../../mailbox/crypto/node.ts'
import { phraseId } from '../../mailbox/pairing/phrase-id.ts'
import { unknownNode } from './connect-stored.ts'
import type { Identity } from './identity.ts'
import { isNodeName, nameFromAlias } from './names.ts'
import { RowEditor } from './row-editor.ts'
import { openPairing, type SealedPairing, sealedStore, sealPairing } from './sealed-store.ts'
import type { NodeSecret } from './secret.ts'
import { type SurveyedNode, surveyNode } from './survey.ts'

/** Whom to pair with, and where that is kept. */
export interface PairOptions {
  readonly rows: NodeRows
  readonly secret: NodeSecret
  readonly phrase: string
  /** The relay, as in `ConnectOptions`; what an earlier try with this phrase used wins over `otherwise`. */
  readonly mailbox: { readonly given: string | undefined; readonly otherwise: string }
  /** Made from the node's alias when left out. */
  readonly name?: string | undefined
  /** Names that are not to be given, besides those that are. */
  readonly reserved: (name: string) => boolean
  readonly insecureTls: boolean
  /** Certificates in PEM that the relay is trusted by, in place of the system's. */
  readonly ca?: string | Uint8Array | undefined
  readonly signal?: AbortSignal | undefined
  readonly onState?: ((state: SessionState) => void) | undefined
  readonly clock: Clock
  readonly log?: Log | undefined
}

/** A node that is paired. */
export type PairResult = SurveyedNode

/**
 * Pairs, asks the node who it is and what it allows, and hangs up.
 *
 * @throws ERR_NODE_EXISTS, ERR_NODE_SECRET, ERR_CLI_USAGE for a name that cannot be one, and what `connect`
 * throws; a phrase that led nowhere leaves nothing behind
 */
export async function pairNode(options: PairOptions): Promise<PairResult> {
  const { rows, secret, phrase } = options
  const id = phraseId(phrase, nodeCrypto)
  const earlier = await findPairing(rows, secret, id)
  const provisional = provisionalName(id)
  checkName(options, earlier?.name)
  const name = earlier?.name ?? options.name ?? provisional
  const insecureTls = options.insecureTls || earlier?.insecureTls === true
  const editor = new RowEditor(rows)
  const node = await connectNode(options, { name, insecureTls, editor, earlier })
  try {
    const survey = await surveyNode(node, node.macaroon, options.clock)
    const { expiresAt } = node
    await node.close()
    const rename = { from: name, provisional: name === provisional }
    const final = await keepIdentity(options, editor, rename, survey.identity)
    const { pairing } = await openPairing(storedRow(rows, final), secret)
    const { mailbox } = pairing
    return { ...survey, name: final, mailbox, insecureTls, expiresAt }
  } finally {
    await node.close()
  }
}

const PROVISIONAL_DIGITS = 12

/** The name of a pairing under way, by the id of its phrase. */
export const provisionalName = (id: string): string => `pairing-${id.slice(0, PROVISIONAL_DIGITS)}`

interface Earlier extends SealedPairing {
  readonly name: string
}

/** What an earlier try with the phrase of that id has stored. @throws ERR_NODE_SECRET */
export async function findPairing(
  rows: NodeRows,
  secret: NodeSecret,
  id: string,
): Promise<Earlier | undefined> {
  for (const row of rows.list()) {
    if (row.kind !== 'lnc') continue
    const stored = await openPairing(row, secret)
    if (stored.pairing.phraseId === id) return { name: row.name, ...stored }
  }
  return undefined
}

function checkName({ name, rows, reserved }: PairOptions, earlier: string | undefined): void {
  if (name === undefined || name === earlier) return
  if (!isNodeName(name)) {
    throw new PinholeError(
      'ERR_CLI_USAGE',
      `${JSON.stringify(name)} cannot be the name of a node: use up to 32 of a-z 0-9 . _ -, and not lnd`,
    )
  }
  if (earlier !== undefined) {
    throw new PinholeError('ERR_NODE_EXISTS', `this phrase is paired under the name ${earlier}`)
  }
  if (rows.get(name) || reserved(name)) {
    throw nameTaken(name)
  }
}

const nameTaken = (name: string) =>
  new PinholeError('ERR_NODE_EXISTS', `there is a node of the name ${name} already`)

interface Place {
  readonly name: string
  readonly insecureTls: boolean
  readonly editor: RowEditor
  readonly earlier: Earlier | undefined
}

async function connectNode(options: PairOptions, place: Place): Promise<PairedNode> {
  const { phrase, mailbox, ca, signal, onState, clock, log, rows, secret } = options
  const { name, insecureTls, editor, earlier } = place
  const store = sealedStore({ editor, secret, name, insecureTls, clock })
  const relay = mailbox.given ?? earlier?.pairing.mailbox ?? mailbox.otherwise
  const how = { mailbox: relay, phrase, store, insecureTls, ca, signal, onState, clock, log }
  try {
    return await connect(how)
  } catch (reason) {
    // Before the node's key is known there is nothing to go on with.
    const row = earlier ? undefined : rows.get(name)
    const { pairing } = row ? await openPairing(row, secret) : {}
    if (pairing && !pairing.remoteKey) await rows.remove(name)
    throw reason
  }
}

/** Keeps who the node is, under its name for good; returns that. */
async function keepIdentity(
  { rows, secret, name, reserved }: PairOptions,
  editor: RowEditor,
  { from, provisional }: { readonly from: string; readonly provisional: boolean },
  identity: Identity | undefined,
): Promise<string> {
  if (!provisional) {
    await editor.edit(from, (row) => row && { ...row, ...identity })
    return from
  }
  const taken = (other: string) => rows.get(other) !== undefined || reserved(other)
  for (;;) {
    const final = name ?? nameFromAlias(identity?.alias ?? '', taken)
    const row = storedRow(rows, from)
    const sealed = await sealPairing(final, await openPairing(row, secret), secret)
    // Both are there for a moment: a crash between leaves one too many, not one too few.
    if (await rows.put({ ...row, ...identity, name: final, sealed })) {
      await rows.remove(from)
      return final
    }
    if (name !== undefined) throw nameTaken(name)
  }
}

function storedRow(rows: NodeRows, name: string) {
  const row = rows.get(name)
  if (!row) throw unknownNode(name)
  return row
}
