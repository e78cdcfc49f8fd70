// Asks a hub on this machine whether it takes requests: node health.mjs [HOST:PORT] [TRIES]. Ends with 0 when it does.
// HOST:PORT is localhost:8081 without one. TLS is tried first, and any certificate will do: it is asked by address.
import http from 'node:http'
import https from 'node:https'

const TIMEOUT_MS = 5_000
const PAUSE_MS = 1_000
const [address = 'localhost:8081', tries = '1'] = process.argv.slice(2)

/** Resolves to what is wrong, `undefined` when nothing is. */
const ask = (client, scheme) =>
  new Promise((resolve) => {
    const options = { rejectUnauthorized: false, timeout: TIMEOUT_MS, agent: false }
    const request = client.get(`${scheme}://${address}/_pinhole/health`, options, (answer) => {
      answer.resume().once('end', () => {
        resolve(answer.statusCode === 200 ? undefined : `it answers ${answer.statusCode}`)
      })
    })
    request.once('timeout', () => request.destroy(new Error(`no answer in ${TIMEOUT_MS} ms`)))
    request.once('error', (error) => resolve(error.message || error.code))
  })

for (let left = Number(tries); ;) {
  const byTls = await ask(https, 'https')
  const why = byTls === undefined ? undefined : await ask(http, 'http')
  if (why === undefined) process.exit(0)
  if (--left <= 0) {
    process.stderr.write(`${address}: ${byTls}; in cleartext: ${why}\n`)
    process.exit(1)
  }
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
}
