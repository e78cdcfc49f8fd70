/** Says on a terminal what a command waits for, when it takes longer than a moment. */
import { Writable } from 'node:stream'
import { log } from '@clack/prompts'
import type { Output } from './output.ts'

/** Faster than this needs no words, in milliseconds. */
const MOMENT_MS = 1_000

/** What is being waited for. */
export interface Progress {
  /** What is in the way now; the same again is not repeated. */
  obstacle(text: string): void
  /** The wait is over. */
  end(): void
}

/** Begins to wait for `what`; silent where stderr is no terminal or results are JSON. */
export function showProgress(what: string, { stderr }: Output, json: boolean): Progress {
  const output = stderr instanceof Writable ? stderr : undefined
  if (json || !output || stderr.isTTY !== true) return { obstacle() {}, end() {} }
  let obstacle: string | undefined
  let shown = false
  const timer = setTimeout(() => {
    shown = true
    log.step(what, { output })
    if (obstacle !== undefined) log.info(obstacle, { output })
  }, MOMENT_MS)
  return {
    obstacle(text) {
      if (text === obstacle) return
      obstacle = text
      if (shown) log.info(text, { output })
    },
    end: () => clearTimeout(timer),
  }
}
