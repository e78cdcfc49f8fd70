/** Pairs a node by the ten words that it showed, and keeps it for the hub. */
import { systemClock } from '../base/clock.ts'
import { PinholeError } from '../base/errors.ts'
import { DEFAULT_MAILBOX } from '../default-mailbox.ts'
import { CONFIGURED_NODE } from '../nodes/names.ts'
import { pairNode, type PairResult } from '../nodes/pair.ts'
import { suffices } from '../nodes/permissions.ts'
import { Exit, type ExitCode } from './exit.ts'
import { type StoredNodes, withStoredNodes } from './open-rows.ts'
import { type Output, wantsJson, writeResult } from './output.ts'
import type { PairFlags } from './pair.ts'
import { permissionAdvice, permissionText } from './permission-lines.ts'
import { type Progress, showProgress } from './progress.ts'
import { readPhrase } from './read-phrase.ts'

/** Pairs, and shows what the session may do. */
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
    const result = await withStoredNodes(flags, async (nodes) => {
      const progress = showProgress('Connecting to the node', output, json)
      try {
        return await pair(nodes, phrase, flags, { progress, signal: stop.signal })
      } finally {
        progress.end()
      }
    })
    return show(result, output, json)
  } finally {
    process.off('SIGINT', abort).off('SIGTERM', abort)
  }
}

interface Waiting {
  readonly progress: Progress
  readonly signal: AbortSignal
}

function pair(
  { config, rows, secret }: StoredNodes,
  phrase: string,
  { mailbox, name, insecureTls = false }: PairFlags,
  { progress, signal }: Waiting,
): Promise<PairResult> {
  // The hub pairs that one by itself.
  const { passphrase } = config.authenticator
  const reserved = (other: string) => other === CONFIGURED_NODE && passphrase !== ''
  return pairNode({
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
}

function show(result: PairResult, output: Output, json: boolean): ExitCode {
  const { name, identity, mailbox, insecureTls, expiresAt, permissions } = result
  const { alias, pubkey, network } = identity ?? {}
  const expires = expiresAt?.toISOString()
  const row = { name, alias, pubkey, network, mailbox, expires }
  const advice = permissionAdvice(permissions, { mailbox, insecureTls })
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
