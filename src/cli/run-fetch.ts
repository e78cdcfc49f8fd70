/** Asks a server for something and pays when it wants to be paid. */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { isPinholeError, PinholeError } from '../base/errors.ts'
import { memoryTokens } from '../client/bought-token.ts'
import { payingFetch } from '../client/fetch.ts'
import { tokenFiles } from '../client/token-files.ts'
import { basedirOf } from './command.ts'
import { Exit, type ExitCode } from './exit.ts'
import type { FetchFlags } from './fetch.ts'
import type { Output } from './output.ts'
import { PaidSum } from './paid-sum.ts'
import { showAnswer } from './show-answer.ts'
import { openWallet } from './wallet.ts'

const TOKEN_FOLDER = 'tokens'

/** Asks, pays if it must, and shows the answer. */
export async function runFetch(text: string, flags: FetchFlags, output: Output): Promise<ExitCode> {
  const url = urlOf(text)
  const request = await requestOf(flags)
  const wallet = openWallet({ ...flags, url })
  const paid = new PaidSum(wallet)
  // What a sandbox sold is worth nothing once it has ended.
  const store = flags.sandbox
    ? memoryTokens()
    : tokenFiles(path.join(basedirOf(flags), TOKEN_FOLDER))
  const fetch = payingFetch({ wallet: paid, maxSats: flags.maxSats ?? 0, store })
  try {
    const response = await fetch(url, request)
    await showAnswer(response, { ...flags, paid: paid.sum }, output)
    return exitCodeFor(response.status)
  } catch (reason) {
    throw isFetchError(reason) ? unreachable(url, reason) : reason
  } finally {
    await wallet.close()
  }
}

function urlOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url && /^https?:$/.test(url.protocol)) return url
  throw new PinholeError('ERR_CLI_USAGE', `${JSON.stringify(text)} is no http or https address`)
}

async function requestOf({ request, header = [], data }: FetchFlags): Promise<RequestInit> {
  const headers = new Headers()
  for (const line of header) {
    const [, name, value] = /^([^:\s]+)\s*:\s*(.*)$/.exec(line) ?? []
    if (name === undefined || value === undefined) {
      throw new PinholeError('ERR_CLI_USAGE', `a header is "name: value", not ${line}`)
    }
    headers.append(name, value)
  }
  if (data === undefined) return { method: request ?? 'GET', headers }
  if (!headers.has('content-type')) {
    headers.set('content-type', 'application/x-www-form-urlencoded')
  }
  return { method: request ?? 'POST', headers, body: await dataOf(data) }
}

async function dataOf(data: string): Promise<string | Uint8Array<ArrayBuffer>> {
  if (!data.startsWith('@')) return data
  const file = data.slice(1)
  try {
    return new Uint8Array(await readFile(file === '-' ? '/dev/stdin' : file))
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new PinholeError('ERR_CLI_USAGE', `the body cannot be read: ${why}`, { cause })
  }
}

function exitCodeFor(status: number): ExitCode {
  if (status < 400) return Exit.ok
  if (status <= 403 && status !== 400) return Exit.auth
  return status === 404 || status === 410 ? Exit.notFound : Exit.general
}

/** How `fetch` says that there was no way to the server, or that it broke off. */
const isFetchError = (reason: unknown): reason is TypeError =>
  reason instanceof TypeError && !isPinholeError(reason)

function unreachable({ host }: URL, reason: TypeError): PinholeError {
  const { cause } = reason
  const why = cause instanceof Error && cause.message !== '' ? cause.message : reason.message
  return new PinholeError('ERR_SERVER_UNREACHABLE', `${host} did not answer: ${why}`, {
    cause: reason,
  })
}
