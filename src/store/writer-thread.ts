/** The thread that writes: a sync of the disk and a checkpoint hold up nothing but the next batch here. */
import { parentPort, workerData } from 'node:worker_threads'
import { prepareBatches } from './batch.ts'
import { checkPlace, reopenDatabase } from './database.ts'
import { sqliteCode } from './failure.ts'
import type { FromThread, ThreadData, ToThread } from './thread.ts'

const { file, opened } = workerData as ThreadData
const database = reopenDatabase(file)
const write = prepareBatches(database)
const check = checkPlace(file, opened)

function answer(message: Extract<ToThread, { name: 'write' }>): FromThread {
  try {
    check()
    return { name: 'committed', outcomes: write(message.writes) }
  } catch (reason) {
    const text = reason instanceof Error ? reason.message : String(reason)
    return { name: 'failed', code: sqliteCode(reason), message: text }
  }
}

parentPort?.on('message', (message: ToThread) => {
  if (message.name === 'write') return parentPort?.postMessage(answer(message))
  database.close()
  parentPort?.close()
})
