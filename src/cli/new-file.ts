/** Files that a command writes, never over another. */
import { writeFileSync } from 'node:fs'
import { PinholeError } from '../base/errors.ts'

/** Writes a file that was not there. @throws ERR_CLI_USAGE when it was, or cannot be written */
export function writeNewFile(file: string, content: string | Uint8Array, mode = 0o644): void {
  try {
    writeFileSync(file, content, { flag: 'wx', mode })
  } catch (cause) {
    const exists = cause instanceof Error && 'code' in cause && cause.code === 'EEXIST'
    const text = exists ? `${file} exists already` : `${file} cannot be written`
    throw new PinholeError('ERR_CLI_USAGE', text, { cause })
  }
}
