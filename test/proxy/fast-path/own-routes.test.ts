/** No spelling of a path comes to a route of the hub's own, or past it, on one way and not on the other. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import net from 'node:net'
import test, { type TestContext } from 'node:test'
import { systemClock } from '../../../src/base/clock.ts'
import { adminHub } from '../../admin/hub.ts'
import { VirtualNode, VirtualNodes } from '../../invoices/virtual-node.ts'

const RELAY = '/v1/lightning-node-connect/hashmail'
const OWN = [
  ...['/_pinhole', '/_pinhole/', '/_pinhole/health', '/_pinhole/pay/x', '/_pinhole/metrics'],
  ...['/_pinhole/mcp', '/_pinhole/session', '/api/admin', '/api/admin/services'],
  ...['/adminrpc.Admin/ListServices', '/hashmailrpc.HashMail/RecvStream'],
  ...[RELAY, `${RELAY}/send`, `${RELAY}/receive`],
]
const SPELLINGS: readonly ((path: string) => string)[] = [
  (path) => path,
  (path) => `${path}/`,
  (path) => `${path}x`,
  (path) => `${path}?method=POST`,
  (path) => `${path};x`,
  (path) => `/${path}`,
  (path) => `/.${path}`,
  (path) => path.replace(/\/(?=[^/]*$)/, '//'),
  (path) => path.toUpperCase(),
  (path) => path.replace(/[a-z]/, (letter) => `%${letter.charCodeAt(0).toString(16)}`),
]
const METHODS = ['GET', 'POST']

/** A hub with every route there is, and a service that takes all paths; with a log of requests all go the long way. */
async function open(t: TestContext, access: boolean): Promise<number> {
  const services = [
    {
      ...{ name: 'all', address: '127.0.0.1:1', auth: 'on' },
      authskipinvoicecreationpaths: ['.*'],
    },
  ]
  const nodes = new VirtualNodes(new VirtualNode('only', systemClock))
  const values = { services, hashmail: { enabled: true }, logging: { access } }
  const { url } = await adminHub(t, values, undefined, { nodes })
  return Number(new URL(url).port)
}

async function answerTo(port: number, request: string): Promise<string> {
  const socket = net.connect(port, '127.0.0.1')
  let text = ''
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
  const closed = once(socket, 'close')
  socket.write(request)
  await closed
  return text.replace(/\r\ndate: [^\r]+/i, '').replace(/"uptimeSeconds":\d+/, '')
}

test('the hub’s own routes are the same on both ways, however they are spelt', async (t) => {
  const [short, long] = [await open(t, false), await open(t, true)]
  const outcomes = new Set<string>()
  for (const path of OWN) {
    const requests = SPELLINGS.flatMap((spell) => METHODS.map((way) => `${way} ${spell(path)}`))
    const asked = requests.map(async (line) => {
      const request = `${line} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`
      const [one, other] = await Promise.all([short, long].map((port) => answerTo(port, request)))
      assert.equal(one, other, line)
      outcomes.add(one?.slice(0, 'HTTP/1.1 200'.length) ?? '')
    })
    await Promise.all(asked)
  }
  // Routes of the hub, the service, and what is refused.
  for (const status of [200, 400, 401, 404]) assert.ok(outcomes.has(`HTTP/1.1 ${status}`))
})
