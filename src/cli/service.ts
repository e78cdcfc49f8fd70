/** `pinhole service`: what a running hub sells. */
import { isDeepStrictEqual } from 'node:util'
import { Command } from 'commander'
import type { Service } from '../admin/contract.ts'
import { PinholeError } from '../base/errors.ts'
import type { CommandContext } from './command.ts'
import { Exit, type ExitCode } from './exit.ts'
import { askHub, hubCommand, type ReachOptions } from './hub-client.ts'
import { type Output, type Row, wantsJson, writeAnswer, writeResult } from './output.ts'
import { probeCommand } from './probe.ts'
import {
  addServiceFlags,
  changeOf,
  FIELDS_HELP,
  type ServiceFlags,
  type ServiceSections,
} from './service-flags.ts'

interface ChangeOptions extends ReachOptions, ServiceFlags {
  readonly dryRun?: boolean
}

const HELP = `
Changes take effect for the next request and are kept in the database; a service of the configuration that was changed
here stays as it was changed.

Examples:
  pinhole service list
  pinhole service add weather --address localhost:9000 --path-regexp '^/weather/.*$' --price 10
  pinhole service set weather --price 20 --dry-run
  pinhole service prices weather
  pinhole service remove weather
`

/** The command and those below it. */
export function serviceCommand(context: CommandContext): Command {
  const { output, finish } = context
  const parent = new Command('service')
    .description('what a running hub sells')
    .addHelpText('after', HELP)
  parent.addCommand(
    hubCommand('list', 'in the order in which they are tried').action((options: ReachOptions) =>
      list(options, output),
    ),
  )
  parent.addCommand(
    hubCommand('show', 'everything of one')
      .argument('<name>')
      .action((name: string, options: ReachOptions) => show(name, options, output)),
  )
  parent.addCommand(
    changing('add', 'sell something new').action(async (name: string, options: ChangeOptions) =>
      finish(await add(name, options, output)),
    ),
  )
  parent.addCommand(
    changing('set', 'change one; what is not given stays').action(
      async (name: string, options: ChangeOptions) => finish(await set(name, options, output)),
    ),
  )
  parent.addCommand(
    hubCommand('remove', 'its tokens open nothing any more')
      .argument('<name>')
      .option('--dry-run', 'only say what would be; ends with 10')
      .action(async (name: string, options: ChangeOptions) =>
        finish(await remove(name, options, output)),
      ),
  )
  parent.addCommand(
    hubCommand('prices', 'what it has cost, newest first')
      .argument('<name>')
      .action((name: string, options: ReachOptions) => prices(name, options, output)),
  )
  parent.addCommand(probeCommand(context))
  return parent
}

const changing = (name: string, summary: string): Command =>
  addServiceFlags(hubCommand(name, summary).argument('<name>'))
    .option('--dry-run', 'only check and show what would be; ends with 10')
    .addHelpText('after', FIELDS_HELP)

async function list(options: ReachOptions, output: Output): Promise<void> {
  const answer = await askHub(options, output, (client) => client.listServices())
  writeAnswer(output, options.json ?? false, answer, () => ({
    rows: answer.services.map(rowOf),
    none: 'Nothing is sold yet. See pinhole service add --help.',
  }))
}

const rowOf = (service: Service): Row => ({
  name: service.name,
  sats: service.dynamic_price.enabled ? 'dynamic' : service.price,
  auth: service.auth,
  path: service.path_regexp,
  upstream: `${service.protocol}://${service.address}`,
  from: service.source,
})

async function show(name: string, options: ReachOptions, output: Output): Promise<void> {
  const service = await askHub(options, output, (client) => client.getService({ name }))
  showService(service, output, options.json ?? false)
}

function showService(service: Service, output: Output, json: boolean): void {
  if (wantsJson(output, json)) return void output.stdout.write(`${JSON.stringify(service)}\n`)
  writeResult(output, Object.fromEntries(flat(service)), json)
}

/** Fields with text, those of sections as `timeouts.idle_ms`; what is empty is left out. */
function flat(fields: object, above = ''): [string, string][] {
  return Object.entries(fields).flatMap(([name, value]: [string, unknown]): [string, string][] => {
    const key = above + name
    if (Array.isArray(value)) return value.length > 0 ? [[key, value.map(text).join(', ')]] : []
    if (typeof value === 'object' && value !== null) return flat(value, `${key}.`)
    return value === '' ? [] : [[key, String(value)]]
  })
}

const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

async function add(name: string, options: ChangeOptions, output: Output): Promise<ExitCode> {
  const { dryRun = false, json = false } = options
  const change = changeOf(options, await standardSections())
  const made = await askHub(options, output, (client) =>
    client.createService({ name, ...change, ...(dryRun ? { dry_run: true } : {}) }),
  )
  showService(made, output, json)
  return dryRun ? Exit.dryRun : Exit.ok
}

/** What a section is of which only a part is given. */
async function standardSections(): Promise<ServiceSections> {
  const { standardFields } = await import('../selling/service-fields.ts')
  return standardFields()
}

async function set(name: string, options: ChangeOptions, output: Output): Promise<ExitCode> {
  const { dryRun = false, json = false } = options
  const { before, after } = await askHub(options, output, async (client) => {
    const before = await client.getService({ name })
    const change = changeOf(options, before)
    if (Object.keys(change).length === 0) {
      throw new PinholeError('ERR_CLI_USAGE', 'say what to change, such as --price 20')
    }
    const after = await client.updateService({
      name,
      ...change,
      ...(dryRun ? { dry_run: true } : {}),
    })
    return { before, after }
  })
  if (wantsJson(output, json)) showService(after, output, json)
  else showDifference(before, after, output)
  return dryRun ? Exit.dryRun : Exit.ok
}

function showDifference(before: Service, after: Service, output: Output): void {
  const old = new Map(flat({ ...before, updated_at: '' }))
  const now = new Map(flat({ ...after, updated_at: '' }))
  const rows = [...new Set([...old.keys(), ...now.keys()])]
    .filter((field) => !isDeepStrictEqual(old.get(field), now.get(field)))
    .map((field) => ({ field, before: old.get(field), after: now.get(field) }))
  writeAnswer(output, false, rows, () => ({ rows, none: 'That is how it is already.' }))
}

async function remove(name: string, options: ChangeOptions, output: Output): Promise<ExitCode> {
  const { dryRun = false, json = false } = options
  await askHub(options, output, (client) =>
    client.deleteService({ name, ...(dryRun ? { dry_run: true } : {}) }),
  )
  writeResult(output, dryRun ? { would_remove: name } : { removed: name }, json)
  return dryRun ? Exit.dryRun : Exit.ok
}

async function prices(name: string, options: ReachOptions, output: Output): Promise<void> {
  const answer = await askHub(options, output, (client) => client.listPrices({ name }))
  writeAnswer(output, options.json ?? false, answer, () => ({
    rows: answer.prices.map(({ price, since, by }) => ({ since, sats: price, by })),
    none: 'It has had no price yet.',
  }))
}
