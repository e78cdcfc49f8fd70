import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'

function findVersion(): string {
  // The sources lie one folder below package.json, the build two.
  for (const up of ['..', '../..']) {
    const file = path.join(import.meta.dirname, up, 'package.json')
    if (!existsSync(file)) continue
    const found: unknown = JSON.parse(readFileSync(file, 'utf8'))
    if (typeof found === 'object' && found !== null && 'version' in found) {
      return String(found.version)
    }
  }
  return 'unknown'
}

/** Version of this package. */
export const VERSION = findVersion()
