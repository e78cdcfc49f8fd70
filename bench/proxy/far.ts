/** In the world a node that is far away has processors of its own. Here it gets what the hub leaves of ours. */
import { readdirSync } from 'node:fs'
import os from 'node:os'

/** Gives way to all that has not been told so. */
const NICE = 19

/** Has the process give way, and whatever it starts from now on. */
export function giveWay(pid: number): void {
  // Linux keeps it for each thread.
  for (const thread of threadsOf(pid)) os.setPriority(thread, NICE)
}

function threadsOf(pid: number): readonly number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number)
  } catch {
    return [pid]
  }
}
