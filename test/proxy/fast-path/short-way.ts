import { FastPath } from '../../../proxy/fast-path/fast-path.ts'
import type { Clock } from '../../../src/base/clock.ts'
import { OPTIONS } from '../../listener/serving.ts'

/** Set by `long-way.test.ts`, so that the same tests are made of Node's own server. */
export const LONG_WAY = 'PINHOLE_TEST_LONG_WAY'

/** The fast path of a test's hub; none where all is to go through Fastify. */
export function shortWay(clock: Clock): FastPath | undefined {
  if (process.env[LONG_WAY]) return undefined
  return new FastPath({
    maxHeadBytes: OPTIONS.limits.headerBytes,
    headerTimeoutMs: OPTIONS.headerTimeoutMs,
    idleTimeoutMs: OPTIONS.idleTimeoutMs,
    clock,
  })
}
