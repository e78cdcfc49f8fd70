/** `pinhole admin`: macaroons that may less, and the way into the console. */
import { Command } from 'commander'
import type { Scope } from '../admin/contract.ts'
import { systemClock } from '../base/clock.ts'
import { PinholeError } from '../base/errors.ts'
import type { CommandContext } from './command.ts'
import { askHub, hubCommand, ownMacaroon, type ReachOptions } from './hub-client.ts'
import { writeNewFile } from './new-file.ts'
import { collect } from './numbers.ts'
import { type Output, wantsJson, writeResult } from './output.ts'
import { spanMs } from './times.ts'

interface BakeOptions extends ReachOptions {
  readonly scope?: readonly string[]
  readonly expires?: string
  readonly address?: readonly string[]
  readonly out?: string
}

const SCOPES = ['read', 'write', 'pay'] as const
const OWNER_ONLY = 0o600

const HELP = `
Examples:
  pinhole admin bake --scope read --expires 30d --out watch.macaroon
  pinhole admin bake --scope read --scope write --address 10.0.0.0/8
  pinhole admin login
`

const BAKE_HELP = `
Works on the macaroon alone, without the hub. The scopes are read (look at everything), write (change it) and pay (spend
from a node); a macaroon without a scope has all of them. Commands that change something look at it first: give those
who use them read as well. What was baked can be narrowed again, never widened. To take back all macaroons remove
admin.rootkey and admin.macaroon and start the hub again.
`

/** The command and those below it. */
export function adminCommand({ output }: CommandContext): Command {
  const parent = new Command('admin')
    .description('macaroons for others, and the way into the console')
    .addHelpText('after', HELP)
  parent.addCommand(
    hubCommand('bake', 'make a macaroon that may less')
      .option('--scope <scope>', 'read, write or pay; may be repeated', collect)
      .option('--expires <time>', 'how long it is good, such as 30d or 12h')
      .option('--address <cidr>', 'from where it is good; may be repeated', collect)
      .option('--out <file>', 'write it there, for this user only, in place of stdout')
      .addHelpText('after', BAKE_HELP)
      .action((options: BakeOptions) => bake(options, output)),
  )
  parent.addCommand(
    hubCommand('login', 'print a link that logs one browser in, once').action(
      (options: ReachOptions) => login(options, output),
    ),
  )
  return parent
}

async function bake(options: BakeOptions, output: Output): Promise<void> {
  const { scope, address, expires, out: file, json = false } = options
  const scopes = scope?.flatMap((words) => words.split(/[\s,]+/)).map(readScope)
  const expiresAtMs = expires === undefined ? undefined : systemClock.wall() + readExpiry(expires)
  if (!scopes && !address && expiresAtMs === undefined) {
    const text = 'say what it may less: --scope, --expires or --address'
    throw new PinholeError('ERR_CLI_USAGE', text)
  }
  const own = await ownMacaroon(options)
  const { bakeMacaroon } = await import('../admin/bake.ts')
  const baked = bakeMacaroon(Buffer.from(own, 'hex'), {
    scopes,
    expiresAtMs,
    addresses: address?.flatMap((words) => words.split(/[\s,]+/)),
  })
  const expires_at = expiresAtMs === undefined ? undefined : new Date(expiresAtMs).toISOString()
  if (file !== undefined) {
    writeNewFile(file, baked, OWNER_ONLY)
    return writeResult(output, { file, expires_at }, json)
  }
  const macaroon = Buffer.from(baked).toString('hex')
  // Alone, also in a pipe, for $(…).
  if (!json) return void output.stdout.write(`${macaroon}\n`)
  writeResult(output, { macaroon, expires_at }, json)
}

function readScope(word: string): Scope {
  const scope = SCOPES.find((known) => known === word)
  if (scope) return scope
  throw new PinholeError('ERR_CLI_USAGE', `--scope is one of ${SCOPES.join(', ')}, not ${word}`)
}

function readExpiry(text: string): number {
  const ms = spanMs(text)
  if (ms !== undefined) return ms
  throw new PinholeError('ERR_CLI_USAGE', `--expires must be like 30d or 12h, not ${text}`)
}

async function login(options: ReachOptions, output: Output): Promise<void> {
  const link = await askHub(options, output, async (client, url) => {
    const { path, expires_at } = await client.createLoginLink()
    return { url: new URL(path, url).href, expires_at }
  })
  const json = options.json ?? false
  if (wantsJson(output, json)) return writeResult(output, link, json)
  output.stdout.write(`${link.url}\n`)
  output.stderr.write(
    `It works once, until ${link.expires_at}. Open it in the browser to log in.\n`,
  )
}
