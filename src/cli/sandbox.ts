/** `pinhole start --sandbox`: what it says when it is ready, and how it runs. */
import type { Log } from '../base/log.ts'
import type { Config } from '../config/load.ts'
import { createSandbox, type SandboxAdmin, type SandboxNode } from '../sandbox/sandbox.ts'
import { PAID_SATS } from '../sandbox/services.ts'
import type { ExitCode } from './exit.ts'
import { type Output, wantsJson, writeResult } from './output.ts'
import { endOnSignal } from './signals.ts'

/** Runs the sandbox until a signal ends it. */
export async function runSandbox(
  config: Config,
  plainLog: Log,
  output: Output,
  json: boolean,
): Promise<ExitCode> {
  const sandbox = createSandbox(config, plainLog)
  const log = plainLog.child({ simulated: true })
  let isTold = false
  const close = () => {
    isTold = true
    return sandbox.close()
  }
  const ended = endOnSignal({ close }, 'sandbox', log)
  try {
    const address = await sandbox.listen()
    log.info({ address }, 'the sandbox listens')
    const { node, admin } = sandbox
    const console = admin ? await sandbox.loginLink() : OFF
    const commands = { ...commandsFor(address, admin), console }
    if (wantsJson(output, json) || !node) {
      writeResult(output, { address, ...commands, ...node }, json)
    } else output.stdout.write(welcome(address, commands, node))
  } catch (error) {
    // What a signal ends in the middle fails somewhere.
    if (!isTold) throw error
  }
  return ended
}

/** In place of what needs the admin API. */
const OFF = '(admin.enabled is off)'

interface Commands {
  readonly unpaid: string
  readonly pay: string
  /** One command for the running hub, with what all of them take. */
  readonly operate: string
}

/** Commands to copy. In a clone there is no `pinhole` to call; there npm has run this. */
function commandsFor(address: string, admin: SandboxAdmin | undefined): Commands {
  const inClone = ['start', 'pinhole'].includes(process.env.npm_lifecycle_event ?? '')
  const pinhole = inClone ? 'npm run -s pinhole --' : 'pinhole'
  return {
    unpaid: `curl -i ${address}/paid`,
    pay: `${pinhole} fetch ${address}/paid --max-sats ${2 * PAID_SATS} --sandbox`,
    operate: admin
      ? `${pinhole} stats --hub ${admin.address} --macaroon ${admin.macaroonFile}`
      : OFF,
  }
}

/** What a person is shown: where it is, how to be asked for money, how to pay, where to look. */
export const welcome = (
  address: string,
  { unpaid, pay, operate, console }: Commands & { readonly console: string },
  { alias, pubkey, phrase }: SandboxNode,
): string => `
hub      ${address}

402      ${unpaid}
pay      ${pay}
console  ${console}
         logs one browser in, once, within five minutes
operate  ${operate}
         so do all commands for a running hub (docs/cli.md)

No real money moves: node, buyer and invoices are simulated (regtest, a test key). Ctrl-C ends it.

also     ${address}/free, ${address}/stream (server-sent events)
node     ${alias}, ${pubkey}
         reached through the relay on this port over Lightning Node Connect
phrase   ${phrase}
         pairs one program of yours with the node:
         connect({ mailbox: '${address}', phrase: '${phrase}' })
`
