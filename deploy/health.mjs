// Asks a hub on this machine whether it takes requests: node health.mjs [ADDRESS] [TRIES] [PID]. Ends with 0 when it does.
// ADDRESS is HOST:PORT, localhost:8081 without one: TLS is tried first, then cleartext. A hub behind another server is
// asked by http://HOST:PORT, or tells its log of the attempt. Any certificate will do. Nobody is waited for when the
// process PID is gone.
import http from 'node:http'
import https from 'node:https'

const TIMEOUT_MS = 5_000
const PAUSE_MS = 1_000
const [address = 'localhost:8081', tries = '1', pid] = process.argv.slice(2)
const urls = address.includes('://') ? [address] : [`https://${address}`, `http://${address}`]

/** Resolves to what is wrong, `undefined` when nothing is. */
const ask = (url) =>
  new Promise((resolve) => {
    const client = url.startsWith('https:') ? https : http
    const options = { rejectUnauthorized: false, timeout: TIMEOUT_MS, agent: false }
    const request = client.get(new URL('/_pinhole/health', url), options, (answer) => {
      answer.resume().once('end', () => {
        resolve(answer.statusCode === 200 ? undefined : `it answers ${answer.statusCode}`)
      })
    })
    request.once('timeout', () => request.destroy(new Error(`no answer in ${TIMEOUT_MS} ms`)))
    request.once('error', (error) => resolve(error.message || error.code))
  })

/** Whether the hub's process is known to be gone; that it is somebody else's does not matter. */
function isGone() {
  if (pid === undefined) return false
  try {
    process.kill(Number(pid), 0)
    return false
  } catch (error) {
    return error.code === 'ESRCH'
  }
}

for (let left = Number(tries); ;) {
  const wrong = []
  for (const url of urls) {
    const why = await ask(url)
    if (why === undefined) process.exit(0)
    wrong.push(`${url}: ${why}`)
  }
  if (--left <= 0 || isGone()) {
    process.stderr.write(`${wrong.join('; ')}\n`)
    process.exit(1)
  }
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
}
