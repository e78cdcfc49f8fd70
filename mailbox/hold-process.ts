/** The longest delay that timers take, in milliseconds (24 days); the timer does nothing when it fires. */
const LONGEST_MS = 2 ** 31 - 1

/**
 * Keeps a Node process running until the returned function is called. A clock's timers do not, and an end
 * that waits to dial again has no socket that would. Of no effect in a browser.
 */
export function holdProcess(): () => void {
  const timer = setInterval(() => {}, LONGEST_MS)
  return () => clearInterval(timer)
}
