const TURNS = 25

/**
 * A moment in which what is under way inside this process arrives, some 30 ms: turns of the event loop, each of which
 * takes what came over its sockets. A span of time is none on a busy machine: after a halt, timers fire
 * before anything that came meanwhile is read.
 */
export async function moment(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setTimeout(resolve, 1))
}
