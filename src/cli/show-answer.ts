/** Shows a server's answer: its body as it is, to stdout or a file; all of it as one JSON object with `--json`. */
import { createWriteStream } from 'node:fs'
import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { satoshis } from '../client/purchase.ts'
import type { Output } from './output.ts'
import type { Paid } from './paid-sum.ts'

/** How to show it. */
export interface ShowOptions {
  readonly json?: boolean
  /** Status and headers, too. */
  readonly include?: boolean
  /** File for the body. */
  readonly output?: string
  readonly sandbox?: boolean
  readonly paid: Paid | undefined
}

/** Writes the answer, as it comes. */
export async function showAnswer(
  response: Response,
  options: ShowOptions,
  output: Output,
): Promise<void> {
  const { json = false, include = false } = options
  if (json && options.output === undefined) {
    const row = { ...(await jsonOf(response)), ...sumsOf(options) }
    output.stdout.write(`${JSON.stringify(row)}\n`)
    return
  }
  if (!json) sayPaid(options, output)
  if (include) output.stdout.write(headOf(response))
  await writeBody(response, options.output, output)
}

function sayPaid({ paid, sandbox = false }: ShowOptions, { stderr }: Output): void {
  if (!paid) return
  const note = sandbox ? ' No real money moved.' : ''
  const fee = `${satoshis(paid.feeMsat)} for the route`
  stderr.write(`Paid ${satoshis(paid.amountMsat)}, and ${fee}.${note}\n`)
}

const sumsOf = ({ paid }: ShowOptions) => ({
  paidMsat: String(paid?.amountMsat ?? 0n),
  feeMsat: String(paid?.feeMsat ?? 0n),
})

function headOf({ status, statusText, headers }: Response): string {
  const lines = [...headers].map(([name, value]) => `${name}: ${value}`)
  return [`HTTP ${status} ${statusText}`.trimEnd(), ...lines, '', ''].join('\n')
}

async function jsonOf(response: Response) {
  const bytes = Buffer.from(await response.arrayBuffer())
  const text = bytes.toString('utf8')
  // Bytes that are no text would not survive as one.
  const body = Buffer.from(text).equals(bytes)
    ? { body: text }
    : { bodyBase64: bytes.toString('base64') }
  return { status: response.status, headers: Object.fromEntries(response.headers), ...body }
}

async function writeBody(
  { body }: Response,
  file: string | undefined,
  { stdout }: Output,
): Promise<void> {
  if (file !== undefined) return pipeline(body ?? [], createWriteStream(file))
  if (!body) return
  if (stdout instanceof Writable) return pipeline(Readable.fromWeb(body), stdout, { end: false })
  const decoder = new TextDecoder()
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    stdout.write(decoder.decode(chunk, { stream: true }))
  }
}
