/** The lines of our ends, as `go/lines` has them: commands from stdin, answers and events to stdout. */
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import type { PairingKeys } from '../../../mailbox/pairing/notebook.ts'
import { memoryStore, type PairingStore } from '../../../mailbox/pairing/pairing.ts'
import { toHex } from '../../../src/base/bytes.ts'
import { silentLog, type Log, type LogFields } from '../../../src/base/log.ts'

const Command = z.object({
  id: z.number().default(0),
  cmd: z.string(),
  bytes: z.number().default(0),
  count: z.number().default(1),
  parallel: z.number().default(1),
  intervalMs: z.number().default(0),
  timeoutMs: z.number().default(120_000),
  durationMs: z.number().default(0),
})

/** One line of stdin. Which fields count depends on the command. */
export type Command = z.infer<typeof Command>

/** The members of a line. */
export type Fields = Readonly<Record<string, unknown>>

/** What both ends are told on the command line. */
export const flags = parseArgs({
  options: {
    relay: { type: 'string', default: '' },
    transport: { type: 'string', default: 'websocket' },
    phrase: { type: 'string' },
    'local-key': { type: 'string' },
    'remote-key': { type: 'string' },
    macaroon: { type: 'string' },
    debug: { type: 'boolean', default: false },
  },
}).values

/** The keys of an earlier pairing, if both were given. */
export function givenKeys(): PairingKeys | undefined {
  const { 'local-key': localKey, 'remote-key': remoteKey } = flags
  return localKey !== undefined && remoteKey !== undefined ? { localKey, remoteKey } : undefined
}

/** Keeps the pairing over reconnects, and tells of it. */
export function tellingStore(): PairingStore {
  const store = memoryStore()
  return {
    load: () => store.load(),
    save: async (pairing) => {
      await store.save(pairing)
      const { localKey, remoteKey } = pairing
      if (remoteKey) event('paired', { localKey: toHex(localKey), remoteKey: toHex(remoteKey) })
    },
  }
}

/** Goes to stderr with `--debug`. */
export const log: Log = flags.debug ? stderrLog({}) : silentLog

function stderrLog(bound: LogFields): Log {
  const line = (fields: LogFields, message: string): void => {
    const time = new Date().toISOString().slice(11, 23)
    process.stderr.write(`${time} ${message} ${JSON.stringify({ ...bound, ...fields })}\n`)
  }
  const child = (fields: LogFields): Log => stderrLog({ ...bound, ...fields })
  return { debug: line, info: line, warn: line, error: line, child }
}

export function event(name: string, fields: Fields = {}): void {
  print({ event: name, ...fields })
}

/** Hands over each command until stdin ends, which means that the test is gone. */
export async function readCommands(handle: (command: Command) => void): Promise<void> {
  for await (const text of createInterface({ input: process.stdin })) {
    handle(Command.parse(JSON.parse(text)))
  }
}

/** Runs an action for a command and tells how it ended. */
export async function answer(command: Command, action: () => Promise<Fields>): Promise<void> {
  try {
    print({ id: command.id, ok: true, ...(await action()) })
  } catch (reason) {
    const error = reason instanceof Error ? `${reason.name}: ${reason.message}` : String(reason)
    print({ id: command.id, ok: false, error })
  }
}

function print(line: Fields): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}
