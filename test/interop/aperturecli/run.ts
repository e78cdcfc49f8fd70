/** Asks one of them: by aperturecli, and by REST. */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { peerBinary } from '../peers.ts'
import type { Call, Command, Means } from './commands.ts'
import { normal } from './normal.ts'
import type { Operated } from './paywalls.ts'

const TIMEOUT_MS = 20_000
const WARNING = 'WARNING: --insecure is set, macaroon will be sent over plaintext'

/** What a command printed, and how it ended. */
export interface Ended {
  readonly exit: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs aperturecli with `args`. */
export function aperturecli(args: readonly string[]): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const options = { timeout: TIMEOUT_MS, encoding: 'utf8' } as const
    const child = execFile(peerBinary('aperturecli'), args, options, (_, stdout, stderr) => {
      const { exitCode } = child
      if (exitCode === null) reject(new Error(`aperturecli ${args.join(' ')}: no end`))
      else resolve({ exit: exitCode, stdout, stderr })
    })
  })
}

/** What `command` comes to. `@name` is a file of the folder. */
export async function run(at: Operated, { args }: Command, means: Means): Promise<unknown> {
  const given = (typeof args === 'function' ? args(means) : args).map((arg) =>
    arg.startsWith('@') ? path.join(at.folder, arg.slice(1)) : arg,
  )
  const connection = [`--host=127.0.0.1:${at.port}`, '--insecure']
  const macaroon = path.join(at.folder, 'admin.macaroon')
  const ended = await aperturecli([...connection, '--macaroon', macaroon, ...given])
  const { exit, stdout, stderr } = ended
  return { exit, stdout: normal(stdout, at), stderr: normal(stderr.replace(WARNING, ''), at) }
}

/** What a call of the REST face comes to. */
export async function rest(at: Operated, { method, target, body, bare }: Call): Promise<unknown> {
  const macaroon = await readFile(path.join(at.folder, 'admin.macaroon'), 'hex')
  const answer = await fetch(`http://127.0.0.1:${at.port}/api/admin${target}`, {
    method,
    headers: bare === true ? {} : { 'Grpc-Metadata-Macaroon': macaroon },
    ...(body === undefined ? {} : { body }),
  })
  const type = answer.headers.get('content-type')?.split(';')[0]
  return { status: answer.status, type, body: normal(await answer.text(), at) }
}
