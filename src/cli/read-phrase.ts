/** Where the words of a pairing phrase come from; wherever it is, they are shown nowhere. */
import type { Readable, Writable } from 'node:stream'
import type { ReadStream } from 'node:tty'
import { isCancel, password } from '@clack/prompts'
import { parsePhrase } from '../../mailbox/phrase.ts'
import { PinholeError } from '../base/errors.ts'

/** Ten words and what a paste may put around them, in bytes. */
const MAX_INPUT_BYTES = 4_096

/**
 * The phrase: the words of the command line, else asked for on a terminal, else all of stdin.
 *
 * @throws ERR_PHRASE_WORD_COUNT, ERR_PHRASE_UNKNOWN_WORD, ERR_CLI_USAGE when there is none
 */
export async function readPhrase(
  words: readonly string[],
  input: Readable & Partial<Pick<ReadStream, 'isTTY'>>,
  output: Writable = process.stderr,
): Promise<string> {
  const phrase = words.length > 0 ? words.join(' ') : await phraseFrom(input, output)
  parsePhrase(phrase)
  return phrase
}

async function phraseFrom(
  input: Readable & { isTTY?: boolean },
  output: Writable,
): Promise<string> {
  const text = input.isTTY === true ? await ask(input, output) : await readAll(input)
  if (text.trim() === '') {
    throw new PinholeError(
      'ERR_CLI_USAGE',
      'there is no pairing phrase, neither given nor on stdin',
    )
  }
  return text
}

async function ask(input: Readable, output: Writable): Promise<string> {
  const answer = await password({
    message: 'The ten words of the pairing phrase',
    validate: (value) => faultOf(value ?? ''),
    input,
    output,
  })
  return isCancel(answer) ? '' : answer
}

function faultOf(value: string): string | undefined {
  try {
    parsePhrase(value)
    return undefined
  } catch (reason) {
    return reason instanceof Error ? reason.message : String(reason)
  }
}

async function readAll(input: Readable): Promise<string> {
  let text = ''
  for await (const chunk of input) {
    text += String(chunk)
    if (text.length > MAX_INPUT_BYTES) {
      throw new PinholeError('ERR_CLI_USAGE', 'what came on stdin is too long for ten words')
    }
  }
  return text
}
