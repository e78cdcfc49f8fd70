/** Pairs a node by the ten words that it showed, and keeps it for the hub. */
import { systemClock } from '../base/clock.ts'
import { PinholeError } from '../base/errors.ts'
import { DEFAULT_MAILBOX } from '../default-mailbox.ts'
import { CONFIGURED_NODE } from '../nodes/names.ts'
import { pairNode } from '../nodes/pair.ts'
import { suffices } from '../nodes/permissions.ts'
import { Exit, type ExitCode } from './exit.ts'
import { type PairedRow, pairByHub } from './hub-nodes.ts'
import { type StoredNodes, withStoredNodes } from './open-rows.ts'
import { type Output, wantsJson, writeResult } from './output.ts'
import type { PairFlags } from './pair.ts'
import { permissionAdvice, permissionText } from './permission-lines.ts'
import { type Progress, showProgress } from './progress.ts'
import { readPhrase } from './read-phrase.ts'
import { runningHub } from './running-hub.ts'

/** Pairs, by the hub when one runs, and shows what the session may do. */
export async function runPair(
  words: readonly string[],
  flags: PairFlags,
  output: Output,
): Promise<ExitCode> {
  const { json = false } = flags
  const phrase = await readPhrase(words, process.stdin)
  const stop = new AbortController()
  const abort = () => stop.abort(new PinholeError('ERR_SESSION_CLOSED', 'the pairing was given up'))
  process.once('SIGINT', abort).once('SIGTERM', abort)
  try {
    const hub = await runningHub(flags, output)
    const progress = showProgress('Connecting to the node', output, json)
    const waiting = { progress, signal: stop.signal }
    try {
      const paired = hub
        ? await pairByHub(hub.client, phrase, flags, waiting)
        : await withStoredNodes(flags, (nodes) => pair(nodes, phrase, flags, waiting))
      return show(paired, output, json)
    } finally {
      progress.end()
    }
  } finally {
    process.off('SIGINT', abort).off('SIGTERM', abort)
  }
}

interface Waiting {
  readonly progress: Progress
  readonly signal: AbortSignal
}

async function pair(
  { config, rows, secret }: StoredNodes,
  phrase: string,
  { mailbox, name, insecureTls = false }: PairFlags,
  { progress, signal }: Waiting,
): Promise<PairedRow> {
  // The hub pairs that one by itself.
  const { passphrase } = config.authenticator
  const reserved = (other: string) => other === CONFIGURED_NODE && passphrase !== ''
  const result = await pairNode({
    rows,
    secret,
    phrase,
    mailbox: { given: mailbox, otherwise: DEFAULT_MAILBOX },
    name,
    reserved,
    insecureTls,
    signal,
    onState: (state) =>
      'reason' in state && state.reason && progress.obstacle(state.reason.message),
    clock: systemClock,
  })
  const { identity, expiresAt, permissions } = result
  const { alias, pubkey, network } = identity ?? {}
  const expires = expiresAt?.toISOString()
  const row = { name: result.name, alias, pubkey, network, mailbox: result.mailbox, expires }
  return { row, permissions, advice: permissionAdvice(permissions, result) }
}

function show({ row, permissions, advice }: PairedRow, output: Output, json: boolean): ExitCode {
  if (wantsJson(output, json)) {
    const text = JSON.stringify({ ...row, permissions, ...(advice === '' ? {} : { advice }) })
    output.stdout.write(`${text}\n`)
  } else {
    const sell = permissionText(permissions, 'sell')
    const pay = permissionText(permissions, 'pay')
    writeResult(output, { ...row, sell, pay }, json)
    output.stderr.write(advice)
  }
  const useful = suffices(permissions, 'sell') || suffices(permissions, 'pay')
  return useful ? Exit.ok : Exit.auth
}
