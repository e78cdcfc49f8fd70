/** Whether a hub would start by a configuration: its file, and the services that the database has besides. */
import { readFileSync } from 'node:fs'
import { compileServices } from '../../proxy/compile.ts'
import { asPinholeError, PinholeError } from '../base/errors.ts'
import { type Log, silentLog } from '../base/log.ts'
import { type Config, loadConfig } from '../config/load.ts'
import { pendingSections } from '../config/pending.ts'
import { compileDeps } from '../selling/compile-deps.ts'
import { judgeServices } from '../selling/judge-services.ts'
import { databasePlace } from '../store/aperture/beside.ts'
import { type KeptServices, keptServices } from '../store/kept-services.ts'
import { Exit, type ExitCode } from './exit.ts'
import { askHub, type ReachOptions } from './hub-client.ts'
import { type Output, type Row, wantsJson, writeResult, writeRows } from './output.ts'

/** Checks the file and the database beside it. @throws what is wrong with them, and says of which */
export function checkConfig(options: ReachOptions, output: Output): ExitCode {
  const { basedir, configfile, json = false } = options
  const config = loadConfig({ basedir, configfile })
  if (config.configfile === '') {
    const text = `there is no pinhole.yaml or aperture.yaml in ${config.basedir}`
    throw new PinholeError('ERR_CONFIG_FILE', text)
  }
  compileServices(config.services, compileDeps(config))
  const { file } = databasePlace(config.sqlite.databasefilename)
  const kept = config.dbbackend === 'sqlite' ? keptServices(file) : undefined
  const unread: string[] = []
  const services = kept
    ? withKept(config, kept, file, unread)
    : config.services.map(({ name }) => ({ name, source: 'config' }))
  show({ config, database: kept && file, services, removed: removedOf(config, kept) }, output, json)
  for (const key of pendingSections(config)) {
    output.stderr.write(`${key} is set, but this version does not act on it.\n`)
  }
  for (const name of unread) {
    output.stderr.write(`The service ${name} of the database cannot be read and is left out.\n`)
  }
  return unread.length > 0 ? Exit.general : Exit.ok
}

/** All services, with where each comes from. */
function withKept(config: Config, kept: KeptServices, file: string, unread: string[]): Row[] {
  const log: Log = { ...silentLog, error: ({ service }) => void unread.push(String(service)) }
  try {
    return judgeServices(config, kept, { log }).map(({ settings, source }) => {
      return { name: settings.name, source }
    })
  } catch (reason) {
    const { code, message } = asPinholeError(reason, 'ERR_CONFIG_VALUE')
    throw new PinholeError(code, `in the database ${file}: ${message}`, { cause: reason })
  }
}

/** Those of the file that were removed while a hub ran, and stay so. */
function removedOf({ services }: Config, kept: KeptServices | undefined): readonly string[] {
  const removed = kept?.rows.filter(({ settings }) => settings === undefined) ?? []
  return removed
    .map(({ name }) => name)
    .filter((name) => services.some((service) => service.name === name))
}

interface Checked {
  readonly config: Config
  readonly database: string | undefined
  readonly services: readonly Row[]
  readonly removed: readonly string[]
}

function show({ config, database, services, removed }: Checked, output: Output, json: boolean) {
  const { configfile: file } = config
  if (wantsJson(output, json)) {
    const gone = removed.length > 0 ? { removed } : {}
    output.stdout.write(`${JSON.stringify({ file, database, services, ...gone })}\n`)
    return
  }
  writeResult(output, { file, database }, json)
  const rows = [...services, ...removed.map((name) => ({ name, source: 'config, removed' }))]
  if (rows.length > 0) writeRows(output, rows, json)
}

/** Lets a running hub judge the file, with the services of its database; the file is not used by that. */
export async function checkByHub(
  file: string | undefined,
  options: ReachOptions,
  output: Output,
): Promise<ExitCode> {
  const { json = false } = options
  const name = file ?? loadConfig({ basedir: options.basedir }).configfile
  if (name === '') throw new PinholeError('ERR_CLI_USAGE', 'say which file is to be checked')
  const yaml = read(name)
  const { valid, problems } = await askHub(options, output, (client) =>
    client.validateConfig({ yaml }),
  )
  if (wantsJson(output, json)) output.stdout.write(`${JSON.stringify({ valid, problems })}\n`)
  else writeResult(output, { file: name, valid }, json)
  for (const { line, column, text } of json ? [] : problems) {
    output.stderr.write(`${name}:${line}:${column}: ${text}\n`)
  }
  return valid ? Exit.ok : Exit.general
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new PinholeError('ERR_CONFIG_FILE', `the file ${file} cannot be read`, { cause })
  }
}
