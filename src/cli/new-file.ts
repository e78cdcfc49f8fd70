/** Files that a command writes, never over another. */
import { writeFileSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { PinholeError } from '../base/errors.ts'

/** Writes a file that was not there. @throws ERR_CLI_USAGE when it was, or cannot be written */
export function writeNewFile(file: string, content: string | Uint8Array, mode = 0o644): void {
  try {
    writeFileSync(file, content, { flag: 'wx', mode })
  } catch (cause) {
    throw unwritable(file, cause)
  }
}

/**
 * Writes a file that was not there, a part at a time; resolves to its size in bytes. What was begun and cannot be ended is
 * removed.
 *
 * @throws ERR_CLI_USAGE when it was there, or cannot be written, and what `parts` throws
 */
export async function writeParts(file: string, parts: AsyncIterable<string>): Promise<number> {
  const opened = await open(file, 'wx').catch((cause: unknown) => {
    throw unwritable(file, cause)
  })
  let bytes = 0
  try {
    for await (const part of parts) {
      const content = Buffer.from(part)
      await opened.appendFile(content)
      bytes += content.length
    }
    await opened.close()
    return bytes
  } catch (reason) {
    await opened.close().catch(() => {})
    await rm(file, { force: true })
    throw reason
  }
}

function unwritable(file: string, cause: unknown): PinholeError {
  const exists = cause instanceof Error && 'code' in cause && cause.code === 'EEXIST'
  const text = exists ? `${file} exists already` : `${file} cannot be written`
  return new PinholeError('ERR_CLI_USAGE', text, { cause })
}
