/** The hub that runs on a base folder, for commands that can do without one. */
import { isPinholeError } from '../base/errors.ts'
import { type ReachedHub, reachHub, type ReachOptions } from './hub-client.ts'
import type { Output } from './output.ts'

/** How long a hub may take to say that it is there, in milliseconds. */
const THERE_MS = 5_000

/**
 * The hub of these options when it answers and lets this user in by its macaroon; else `undefined`. One that was named, by
 * `--hub` or `$PINHOLE_HUB`, has to.
 *
 * @throws what `loadConfig` throws, and what the call of a hub that was named does
 */
export async function runningHub(
  options: ReachOptions,
  output: Output,
): Promise<ReachedHub | undefined> {
  const named = (options.hub ?? process.env['PINHOLE_HUB'] ?? '') !== ''
  try {
    const hub = await reachHub(options, output)
    await hub.client.getInfo({}, { timeoutMs: THERE_MS })
    return hub
  } catch (reason) {
    if (!named && isPinholeError(reason, ...ABSENT)) return undefined
    throw reason
  }
}

/** Nothing listens there, or another hub does, or nobody is let in. */
const ABSENT = [
  'ERR_HUB_UNREACHABLE',
  'ERR_HUB_CERTIFICATE',
  'ERR_HUB_ANSWER',
  'ERR_ADMIN_OFF',
  'ERR_ADMIN_MACAROON',
  'ERR_CLI_USAGE',
] as const
