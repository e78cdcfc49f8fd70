/** The configuration: written out, and checked before it is used. */
import { compileServices } from '../../../proxy/compile.ts'
import { isPinholeError } from '../../base/errors.ts'
import { silentLog } from '../../base/log.ts'
import { exportYaml } from '../../config/export.ts'
import { type Config, loadConfig } from '../../config/load.ts'
import { compileDeps } from '../../selling/compile-deps.ts'
import { judgeServices } from '../../selling/judge-services.ts'
import type { KeptServices } from '../../store/kept-services.ts'
import type { AdminDeps } from '../deps.ts'
import type { Operations } from '../operations.ts'

/** `exportConfig`, `validateConfig`. */
export function configOperations({
  config,
  services,
  store,
}: AdminDeps): Pick<Operations, 'exportConfig' | 'validateConfig'> {
  return {
    exportConfig: async () =>
      exportYaml({ ...config(), services: services.list().map(({ settings }) => settings) }),
    async validateConfig({ yaml }) {
      const { basedir, sqlite } = config()
      const kept = { rows: store.services.list(), imported: store.imported.services() }
      const problems = problemsOf(yaml, { basedir, database: sqlite.databasefilename, kept })
      return { valid: problems.length === 0, problems }
    },
  }
}

interface Hub {
  readonly basedir: string
  readonly database: string
  readonly kept: KeptServices
}

/** Loads it as a start would, but opens no file that it names. */
function problemsOf(text: string, { basedir, database, kept }: Hub) {
  try {
    const loaded = loadConfig({ configfile: false, basedir, text })
    compileServices(loaded.services.map(withoutFiles), compileDeps(loaded))
    // Another database would have other services.
    return loaded.sqlite.databasefilename === database ? problemsWith(loaded, kept) : []
  } catch (reason) {
    if (!isPinholeError(reason)) throw reason
    return readLines(reason.message)
  }
}

/** What services of the file and those of the database are wrong together. */
function problemsWith(loaded: Config, kept: KeptServices) {
  try {
    judgeServices(loaded, kept, { log: silentLog, only: withoutFiles })
    return []
  } catch (reason) {
    if (!isPinholeError(reason)) throw reason
    return [{ text: `with the services of the database: ${reason.message}`, line: 1, column: 1 }]
  }
}

/** Whoever may only read learns nothing of the machine's files. */
const withoutFiles = (service: Config['services'][number]) => ({ ...service, tlscertpath: '' })

/** Lines such as `pinhole.yaml:3:1: hashmial: unknown key`; one that begins otherwise goes on with the one before. */
function readLines(message: string): { text: string; line: number; column: number }[] {
  const problems: { text: string; line: number; column: number }[] = []
  for (const one of message.split('\n')) {
    const [, line, column, text] = /^pinhole\.yaml:(\d+):(\d+): (.*)$/.exec(one) ?? []
    const last = problems.at(-1)
    if (text !== undefined) problems.push({ text, line: Number(line), column: Number(column) })
    else if (last) last.text += `\n${one}`
    else problems.push({ text: one, line: 1, column: 1 })
  }
  return problems
}
