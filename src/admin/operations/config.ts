/** The configuration: written out, and checked before it is used. */
import { compileServices } from '../../../proxy/compile.ts'
import { isPinholeError } from '../../base/errors.ts'
import { exportYaml } from '../../config/export.ts'
import { type Config, loadConfig } from '../../config/load.ts'
import { compileDeps } from '../../selling/compile-deps.ts'
import type { AdminDeps } from '../deps.ts'
import type { Operations } from '../operations.ts'

/** `exportConfig`, `validateConfig`. */
export function configOperations({
  config,
  services,
}: AdminDeps): Pick<Operations, 'exportConfig' | 'validateConfig'> {
  return {
    exportConfig: async () =>
      exportYaml({ ...config(), services: services.list().map(({ settings }) => settings) }),
    async validateConfig({ yaml }) {
      const problems = problemsOf(yaml, config().basedir)
      return { valid: problems.length === 0, problems }
    },
  }
}

/** Loads it as a start would, but opens no file that it names. */
function problemsOf(text: string, basedir: string) {
  try {
    const loaded = loadConfig({ configfile: false, basedir, text })
    compileServices(loaded.services.map(withoutFiles), compileDeps(loaded))
    return []
  } catch (reason) {
    if (!isPinholeError(reason)) throw reason
    return readLines(reason.message)
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
