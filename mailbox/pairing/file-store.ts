/** A pairing in a file of its own, readable by its owner alone (Node). */
import { readFile } from 'node:fs/promises'

import { asPinholeError, PinholeError } from '../../src/base/errors.ts'
import { replaceFile } from './durable-file.ts'
import { formatPairing, type Pairing, parsePairing, type PairingStore } from './pairing.ts'

/** Keeps a pairing in `file`; a crash during a save leaves the old pairing or the new one. */
export function fileStore(file: string): PairingStore {
  return {
    load: async () => {
      const json = await readIfThere(file)
      return json === undefined ? undefined : read(json, file)
    },
    save: (pairing) => replaceFile(file, formatPairing(pairing)),
  }
}

function read(json: string, file: string): Pairing {
  try {
    return parsePairing(json)
  } catch (reason) {
    const { message } = asPinholeError(reason, 'ERR_SESSION_STORE')
    throw new PinholeError('ERR_SESSION_STORE', `${file}: ${message}`)
  }
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (reason) {
    if (reason instanceof Error && 'code' in reason && reason.code === 'ENOENT') return undefined
    throw reason
  }
}
