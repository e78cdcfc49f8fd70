/** `pinhole token`: what was sold and opens something. */
import { Command } from 'commander'
import type { AdminClient } from '../admin/client.ts'
import type { ResponseOf, Transaction } from '../admin/contract.ts'
import { PinholeError } from '../base/errors.ts'
import type { CommandContext } from './command.ts'
import { Exit, type ExitCode } from './exit.ts'
import { askHub, hubCommand, type ReachOptions } from './hub-client.ts'
import { wholeNumber } from './numbers.ts'
import { type Output, type Row, writeAnswer, writeResult, wantsJson, writeRows } from './output.ts'

interface ListOptions extends ReachOptions {
  readonly search?: string
  readonly limit?: number
  readonly offset?: number
}

interface ShowOptions extends ReachOptions {
  readonly service?: string
}

interface RevokeOptions extends ReachOptions {
  readonly dryRun?: boolean
}

const MAX_LIMIT = 1_000
const TOKEN_ID = /^[0-9a-f]{64}$/i
const PART_OF_ID = /^[0-9a-f]{4,63}$/i
/** What is shown of an id; enough to name it by. */
const SHORT_ID_CHARS = 16
/** Of a credential on stdin, in characters. */
const MAX_CREDENTIAL = 65_536

const HELP = `
A token is named by its id or by a beginning of it that no other has.

Examples:
  pinhole token list
  pinhole token show 3fa8c01d
  pinhole token show - < authorization.txt     what a credential says, and whether it is good
  pinhole token revoke 3fa8c01d --dry-run
`

/** The command and those below it. */
export function tokenCommand({ output, finish }: CommandContext): Command {
  const parent = new Command('token').description('what was sold').addHelpText('after', HELP)
  parent.addCommand(
    hubCommand('list', 'paid tokens that are not revoked, newest first')
      .option('--search <hex>', 'beginning of a token id or payment hash')
      .option('--limit <n>', 'how many (50)', wholeNumber(1, MAX_LIMIT))
      .option('--offset <n>', 'how many to pass over', wholeNumber())
      .action((options: ListOptions) => list(options, output)),
  )
  parent.addCommand(
    hubCommand('show', 'one token, or what a credential says and whether it is good')
      .argument('<id|credential>', 'an Authorization header or a macaroon; - reads it from stdin')
      .option('--service <name>', 'judge the credential for this service')
      .action((named: string, options: ShowOptions) => show(named, options, output)),
  )
  parent.addCommand(
    hubCommand('revoke', 'its next use draws a new 402')
      .argument('<id>')
      .option('--dry-run', 'only say what would be; ends with 10')
      .action(async (id: string, options: RevokeOptions) =>
        finish(await revoke(id, options, output)),
      ),
  )
  return parent
}

async function list(options: ListOptions, output: Output): Promise<void> {
  const { search, limit, offset } = options
  const answer = await askHub(options, output, (client) =>
    client.listTokens({ search, limit, offset }),
  )
  writeAnswer(output, options.json ?? false, answer, () => ({
    rows: answer.tokens.map(rowOf),
    none: 'No tokens.',
    remark: `${answer.tokens.length} of ${answer.total_count}`,
  }))
}

const rowOf = (one: Transaction): Row => ({
  token: one.token_id.slice(0, SHORT_ID_CHARS),
  service: one.service_name,
  sats: one.price_sats,
  settled: one.settled_at,
  note: one.test ? 'test' : '',
})

async function show(named: string, options: ShowOptions, output: Output): Promise<void> {
  const json = options.json ?? false
  if (TOKEN_ID.test(named) || PART_OF_ID.test(named)) {
    const token = await askHub(options, output, (client) => find(client, named))
    return writeResult(output, token, json)
  }
  const credential = named === '-' ? await readCredential(process.stdin) : named
  const { service } = options
  const decoded = await askHub(options, output, (client) =>
    client.decodeToken({ credential, ...(service === undefined ? {} : { service }) }),
  )
  showDecoded(decoded, output, json)
}

async function readCredential(input: AsyncIterable<unknown>): Promise<string> {
  let text = ''
  for await (const chunk of input) {
    text += String(chunk)
    if (text.length > MAX_CREDENTIAL) break
  }
  const trimmed = text.trim()
  if (trimmed !== '' && text.length <= MAX_CREDENTIAL) return trimmed
  throw new PinholeError('ERR_CLI_USAGE', 'there is no credential on stdin')
}

function showDecoded(decoded: ResponseOf<'decodeToken'>, output: Output, json: boolean): void {
  if (wantsJson(output, json)) return void output.stdout.write(`${JSON.stringify(decoded)}\n`)
  const { caveats, ...fields } = decoded
  writeResult(output, fields, json)
  if (caveats.length > 0) writeRows(output, caveats, json)
}

/** The token whose id begins with `begins`. @throws ERR_ADMIN_NOT_FOUND, ERR_CLI_USAGE when several do */
async function find(client: AdminClient, begins: string): Promise<Transaction> {
  const wanted = begins.toLowerCase()
  const { tokens } = await client.listTokens({ search: wanted, limit: MAX_LIMIT })
  // The search finds payment hashes too.
  const found = tokens.filter(({ token_id: id }) => id.startsWith(wanted))
  const [token] = found
  if (!token) throw new PinholeError('ERR_ADMIN_NOT_FOUND', `no token ${begins} that is good`)
  if (found.length === 1) return token
  throw new PinholeError('ERR_CLI_USAGE', `${found.length} tokens begin with ${begins}`)
}

async function revoke(named: string, options: RevokeOptions, output: Output): Promise<ExitCode> {
  const { dryRun = false, json = false } = options
  if (!TOKEN_ID.test(named) && !PART_OF_ID.test(named)) {
    throw new PinholeError('ERR_CLI_USAGE', `a token id is 4 to 64 hex digits, not ${named}`)
  }
  const id = await askHub(options, output, async (client) => {
    const token_id = TOKEN_ID.test(named) ? named : (await find(client, named)).token_id
    await client.revokeToken({ token_id, ...(dryRun ? { dry_run: true } : {}) })
    return token_id
  })
  writeResult(output, dryRun ? { would_revoke: id } : { revoked: id }, json)
  return dryRun ? Exit.dryRun : Exit.ok
}
