/** Says on a terminal what a command waits for, when it takes longer than a moment. */
import { Writable } from 'node:stream'
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
  let say: ((text: string) => void) | undefined
  let ended = false
  const begin = async () => {
    // Loaded on use: most commands are done before.
    const { log } = await import('@clack/prompts')
    if (ended) return
    say = (text) => log.info(text, { output })
    log.step(what, { output })
    if (obstacle !== undefined) say(obstacle)
  }
  const timer = setTimeout(() => void begin(), MOMENT_MS)
  return {
    obstacle(text) {
      if (text === obstacle) return
      obstacle = text
      say?.(text)
    },
    end() {
      ended = true
      clearTimeout(timer)
    },
  }
}
