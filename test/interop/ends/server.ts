/** Our server end as a program, with the flags and lines of `lnc-peer server` (../README.md). */
import { listen } from '../../../mailbox/listen/listen.ts'
import { createNodeServer } from '../../../mailbox/rpc/serve.ts'
import { addEchoService } from '../echo-service.ts'
import { event, flags, givenKeys, log, readCommands, tellingStore } from './lines.ts'

const { relay, phrase, macaroon } = flags
const server = createNodeServer()
addEchoService(server, macaroon)

const listener = await listen({
  mailbox: relay,
  phrase,
  keys: givenKeys(),
  authData: macaroon === undefined ? '' : `Macaroon: ${macaroon}`,
  server,
  store: tellingStore(),
  insecureTls: true,
  log,
})
listener.onState(({ name }) => event('state', { state: name }))
event('ready', { phrase: listener.phrase ?? phrase ?? '' })

await readCommands(({ cmd }) => {
  if (cmd === 'stop') process.stdin.destroy()
})
await listener.close()
server.forceShutdown()
process.exit()
