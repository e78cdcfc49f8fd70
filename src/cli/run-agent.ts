/** Runs the other end of LNC beside an lnd, until a signal ends it. */
import path from 'node:path'
import { type Agent, startAgent } from '../agent.ts'
import { createLogger } from '../logger.ts'
import type { AgentFlags } from './agent.ts'
import { basedirOf } from './command.ts'
import type { ExitCode } from './exit.ts'
import { type Output, wantsJson, writeResult } from './output.ts'
import { endOnSignal, endOnUncaught } from './signals.ts'

const PAIRING_FILE = 'agent.json'

/** Runs the agent. */
export async function runAgent(flags: AgentFlags, output: Output): Promise<ExitCode> {
  const { lnd, tls, macaroon, mailbox, insecureTls, json = false } = flags
  const terminal = output.stderr.isTTY === true && !json
  const log = createLogger({ debuglevel: 'info', pretty: terminal }, output.stderr)
  endOnUncaught(log)
  const stop = new AbortController()
  // A signal ends an agent that still waits for its relay too.
  let agent: Agent | undefined
  const close = async () => {
    stop.abort()
    await agent?.close()
  }
  const ended = endOnSignal({ close }, 'agent', log)
  try {
    agent = await startAgent({
      lnd,
      tls,
      macaroon,
      mailbox,
      insecureTls,
      file: path.join(basedirOf(flags), PAIRING_FILE),
      anew: flags.new,
      log: log.child({ part: 'LNC' }),
      signal: stop.signal,
    })
  } catch (reason) {
    if (stop.signal.aborted) return ended
    throw reason
  }
  show(agent, output, json)
  return ended
}

function show({ phrase, mailbox }: Agent, output: Output, json: boolean): void {
  if (wantsJson(output, json)) {
    return writeResult(output, { phrase, mailbox, paired: phrase === undefined }, json)
  }
  const paired = 'This node is paired already; its client can connect. --new makes a new phrase.\n'
  output.stdout.write(phrase === undefined ? paired : `\n  ${phrase}\n\n`)
  if (phrase !== undefined) {
    output.stderr.write(`Pair with these words through ${mailbox}. They work once.\n`)
  }
}
