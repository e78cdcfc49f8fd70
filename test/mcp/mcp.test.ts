import assert from 'node:assert/strict'
import http from 'node:http'
import path from 'node:path'
import test, { type TestContext } from 'node:test'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import {
  getDefaultEnvironment,
  StdioClientTransport,
} from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js'
import { createAdminClient } from '../../src/admin/client.ts'
import { listen } from '../../mailbox/listen/listen.ts'
import { createSimulatedNode } from '../../src/sandbox/simulated-node.ts'
import { createMcpServer, type McpOptions } from '../../src/mcp/server.ts'
import type { ToolOperations } from '../../src/mcp/tool.ts'
import { bakeAdminMacaroon, openAdminKey } from '../../src/admin/key-files.ts'
import { type AdminHub, adminHub } from '../admin/hub.ts'
import { CLI, NODE_ARGS } from '../process.ts'

const READING = [
  'get_health',
  'get_info',
  'get_service',
  'get_stats',
  'list_nodes',
  'list_pool',
  'list_prices',
  'list_services',
  'list_tokens',
  'list_transactions',
  'run_doctor',
  'test_node',
]
const WRITING = [
  'create_service',
  'delete_service',
  'pair_node',
  'revoke_token',
  'set_price',
  'update_service',
]

/** What a tool answers, as far as tests look at it. */
interface Answer {
  readonly isError?: boolean
  readonly text: string
  readonly data: Readonly<Record<string, unknown>>
  readonly error: Readonly<Record<string, unknown>>
}

const record = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? { ...value } : {}

const textOf = (content: Readonly<Record<string, unknown>> = {}): string =>
  typeof content['text'] === 'string' ? content['text'] : ''

class Agent {
  readonly client = new Client({ name: 'test', version: '1' })

  async tools(): Promise<readonly string[]> {
    return (await this.client.listTools()).tools.map(({ name }) => name).sort()
  }

  async call(name: string, given: Readonly<Record<string, unknown>> = {}): Promise<Answer> {
    const result = await this.client.callTool({ name, arguments: given })
    const { data, error } = record(result.structuredContent)
    const [content] = Array.isArray(result.content) ? result.content.map(record) : []
    return {
      isError: result.isError === true,
      text: textOf(content),
      data: record(data),
      error: record(error),
    }
  }

  async resource(uri: string): Promise<string> {
    const { contents } = await this.client.readResource({ uri })
    return textOf(record(contents[0]))
  }
}

/** An agent over HTTP, by the hub's macaroon or another (hex). */
async function overHttp(t: TestContext, { url, macaroon }: AdminHub, used = macaroon) {
  const agent = new Agent()
  const transport = new StreamableHTTPClientTransport(new URL(`${url}/_pinhole/mcp`), {
    requestInit: { headers: { authorization: `Bearer ${used}` } },
  })
  await agent.client.connect(transport)
  t.after(() => agent.client.close())
  return agent
}

/** An agent over the pipes of `pinhole mcp`. */
async function overStdio(t: TestContext, { url, basedir }: AdminHub, ...flags: string[]) {
  const agent = new Agent()
  const hub = ['--basedir', basedir, '--hub', url]
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [...NODE_ARGS, CLI, 'mcp', ...hub, ...flags],
    env: getDefaultEnvironment(),
  })
  await agent.client.connect(transport)
  t.after(() => agent.client.close())
  return agent
}

/** An agent without a wire between. */
async function overMemory(t: TestContext, operations: ToolOperations, options: McpOptions) {
  const agent = new Agent()
  const [here, there] = InMemoryTransport.createLinkedPair()
  await createMcpServer(operations, options).connect(there)
  await agent.client.connect(here)
  t.after(() => agent.client.close())
  return agent
}

/** Every tool, in an order in which each finds what it is about. */
async function everyTool(agent: Agent): Promise<void> {
  assert.equal((await agent.call('get_health')).data['status'], 'ok')
  assert.equal((await agent.call('get_info')).data['relay_enabled'], true)

  const service = { name: 'shop', address: 'localhost:9', path_regexp: '^/shop/', price: 5 }
  const tried = await agent.call('create_service', { ...service, dry_run: true })
  assert.equal(tried.data['price'], '5')
  assert.deepEqual((await agent.call('list_services')).data['services'], [])
  const made = await agent.call('create_service', {
    ...service,
    headers: { Authorization: 'Bearer upstream-key' },
  })
  assert.deepEqual(made.data['headers'], { Authorization: '(hidden)' })

  assert.equal(
    (await agent.call('set_price', { name: 'shop', price: 7, dry_run: true })).data['price'],
    '7',
  )
  assert.equal((await agent.call('get_service', { name: 'shop' })).data['price'], '5')
  assert.equal((await agent.call('set_price', { name: 'shop', price: '8' })).data['price'], '8')
  const changed = await agent.call('update_service', { name: 'shop', auth: 'freebie 3' })
  assert.equal(changed.data['auth'], 'freebie 3')
  assert.equal(changed.data['price'], '8')
  const config = await agent.resource('pinhole://config')
  assert.match(config, /hashmail:/)
  assert.match(config, /shop/)
  assert.doesNotMatch(config, /upstream-key/)
  const prices = await agent.call('list_prices', { name: 'shop' })
  assert.match(prices.text, /"price":"8".*"price":"5"/)

  const span = { from: '2026-01-01T00:00:00Z', to: '2026-12-31T00:00:00Z' }
  const sold = await agent.call('list_transactions', { service: 'shop', state: 'settled', ...span })
  assert.deepEqual(sold.data, { transactions: [], total_count: '0' })
  assert.deepEqual((await agent.call('list_tokens', { limit: 5 })).data['tokens'], [])
  assert.equal((await agent.call('get_stats', span)).data['total_revenue_sats'], '0')
  const unknown = await agent.call('revoke_token', { token_id: '00'.repeat(32) })
  assert.equal(unknown.error['code'], 'ERR_ADMIN_NOT_FOUND')

  assert.deepEqual((await agent.call('list_nodes')).data['nodes'], [])
  assert.equal((await agent.call('test_node', { name: 'bob' })).error['code'], 'ERR_NODE_UNKNOWN')
  const paired = await agent.call('pair_node', { phrase: 'absorb able' })
  assert.equal(paired.error['code'], 'ERR_PHRASE_WORD_COUNT')
  assert.match(paired.text, /ten words/)
  assert.deepEqual((await agent.call('list_pool')).data['prices'], [])
  const found = await agent.call('run_doctor', { reconcile: true })
  assert.match(found.text, /"check":"reconcile","level":"ok"/)
  assert.match(found.text, /"check":"relay","level":"ok"/)

  assert.deepEqual((await agent.call('delete_service', { name: 'shop' })).data, {
    status: 'deleted',
  })
  assert.equal(
    (await agent.call('get_service', { name: 'shop' })).error['code'],
    'ERR_ADMIN_NOT_FOUND',
  )

  assert.match(await agent.resource('pinhole://metrics'), /^# HELP/m)
}

/** Aperture's tools, with their arguments; those with a mark are needed. */
const APERTURE: Readonly<Record<string, readonly string[]>> = {
  get_info: [],
  get_health: [],
  list_services: [],
  // prettier-ignore
  create_service: ['name!', 'address!', 'price!', 'protocol', 'host_regexp', 'path_regexp', 'auth'],
  // prettier-ignore
  update_service: ['name!', 'address', 'protocol', 'host_regexp', 'path_regexp', 'price', 'auth'],
  delete_service: ['name!'],
  list_transactions: ['service', 'state', 'from', 'to', 'limit', 'offset'],
  list_tokens: ['limit', 'offset'],
  revoke_token: ['token_id!'],
  get_stats: ['from', 'to'],
}

test("Aperture's tools are there, with its arguments", async (t) => {
  const agent = await overMemory(t, createAdminClient('http://localhost:1'), { write: true })
  const { tools } = await agent.client.listTools()
  for (const [name, given] of Object.entries(APERTURE)) {
    const { inputSchema, description } = tools.find((tool) => tool.name === name) ?? {}
    const needed = given.filter((one) => one.endsWith('!')).map((one) => one.slice(0, -1))
    assert.deepEqual(inputSchema?.required ?? [], needed, name)
    const known = Object.keys(inputSchema?.properties ?? {})
    const missing = given.map((one) => one.replace('!', '')).filter((one) => !known.includes(one))
    assert.deepEqual(missing, [], name)
    assert.match(description ?? '', /^[A-Z].*\.$/)
  }
  const removing = tools.filter(({ annotations }) => annotations?.destructiveHint === true)
  assert.deepEqual(removing.map(({ name }) => name).sort(), ['delete_service', 'revoke_token'])
})

/** Arguments that say nothing of themselves, with those inside of them. */
function unsaid(schema: unknown, above: string): string[] {
  const { properties, items } = record(schema)
  return [
    ...Object.entries(record(properties)).flatMap(([name, inner]) => [
      ...(typeof record(inner)['description'] === 'string' ? [] : [`${above}.${name}`]),
      ...unsaid(inner, `${above}.${name}`),
    ]),
    ...(items === undefined ? [] : unsaid(items, above)),
  ]
}

test('every argument of every tool says what it is', async (t) => {
  const agent = await overMemory(t, createAdminClient('http://localhost:1'), { write: true })
  const { tools } = await agent.client.listTools()
  assert.deepEqual(
    tools.flatMap(({ name, inputSchema }) => unsaid(inputSchema, name)),
    [],
  )
})

const HUB = { hashmail: { enabled: true } }

test('the official client lists and calls every tool over HTTP', async (t) => {
  const agent = await overHttp(t, await adminHub(t, HUB))
  assert.deepEqual(await agent.tools(), [...READING, ...WRITING].sort())
  await everyTool(agent)
})

test('the official client lists and calls every tool over stdio', async (t) => {
  const hub = await adminHub(t, HUB)
  const agent = await overStdio(t, hub, '--write')
  assert.deepEqual(await agent.tools(), [...READING, ...WRITING].sort())
  await everyTool(agent)
  await hub.hub.close()
  const away = await agent.call('get_info')
  assert.equal(away.error['code'], 'ERR_HUB_UNREACHABLE')
  assert.match(away.text, /pinhole start/)
})

test('an agent pairs a node, asks it and has the doctor look at it', async (t) => {
  const hub = await adminHub(t, HUB)
  const { server, adminMacaroon } = createSimulatedNode({ alias: 'Bob' })
  const authData = `Macaroon: ${adminMacaroon}`
  const waiting = await listen({ mailbox: hub.url, server, authData })
  t.after(async () => {
    await waiting.close()
    server.forceShutdown()
  })
  const agent = await overHttp(t, hub)
  const { phrase = '' } = waiting
  const paired = await agent.call('pair_node', { phrase, mailbox: hub.url })
  assert.deepEqual([paired.data['name'], paired.data['alias']], ['bob', 'Bob'])
  assert.ok(!paired.text.includes(phrase) && !paired.text.includes(adminMacaroon))
  assert.equal((await agent.call('test_node', { name: 'bob' })).data['receivable_msat'], '0')
  assert.match((await agent.call('list_nodes')).text, /"name":"bob","kind":"lnc","state":"ready"/)
  const found = await agent.call('run_doctor', { reconcile: true })
  for (const finding of [
    /"check":"permissions","level":"ok","text":"bob: selling: GetInfo, AddInvoice/,
    /"check":"liquidity","level":"error","text":"bob: its channels can take in 0 sat"/,
    /"check":"reconcile","level":"skipped","text":"bob: this kind of node/,
  ]) {
    assert.match(found.text, finding)
  }
})

test('nothing that changes is there without writing', async (t) => {
  const { url, macaroon } = await adminHub(t)
  const agent = await overMemory(t, createAdminClient(url, macaroon), { write: false })
  assert.deepEqual(await agent.tools(), READING)
  const refused = await agent.call('delete_service', { name: 'shop' })
  assert.match(refused.text, /delete_service not found/)
})

test('a macaroon that may read only sees and calls no more', async (t) => {
  const hub = await adminHub(t)
  const rootKey = openAdminKey(path.join(hub.basedir, 'admin.macaroon'))
  const baked = bakeAdminMacaroon(rootKey, ['scope = read'])
  const agent = await overHttp(t, hub, Buffer.from(baked).toString('hex'))
  assert.deepEqual(await agent.tools(), READING)
  assert.match((await agent.call('set_price', { name: 'a', price: 1 })).text, /not found/)

  // Whoever lists them all the same is refused by the hub.
  const piped = await overMemory(t, createAdminClient(hub.url, baked), { write: true })
  const refused = await piped.call('set_price', { name: 'a', price: 1 })
  assert.equal(refused.error['code'], 'ERR_ADMIN_SCOPE')
  assert.match(refused.text, /bake --scope/)
})

test('wrong arguments draw an answer that says so, not a failure of the protocol', async (t) => {
  const agent = await overHttp(t, await adminHub(t))
  const answer = await agent.call('list_tokens', { limit: -1, colour: 'red' })
  assert.equal(answer.isError, true)
  assert.match(answer.text, /limit/)
})

/** A bare request; `fetch` would not send another `Origin`. */
function post(url: string, headers: Readonly<Record<string, string>>, body: string) {
  return new Promise<http.IncomingMessage & { readonly text: string }>((resolve, reject) => {
    const request = http.request(`${url}/_pinhole/mcp`, { method: 'POST', headers }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      answer.on('end', () => resolve(Object.assign(answer, { text })))
    })
    request.once('error', reject).end(body)
  })
}

const PING = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' })

test('who has no macaroon, comes from a foreign page or sends garbage is refused', async (t) => {
  const { url, macaroon } = await adminHub(t)
  const json = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
  }
  const known = { ...json, authorization: `Bearer ${macaroon}` }
  assert.equal((await post(url, known, PING)).statusCode, 200)
  assert.equal(
    (await post(url, { ...json, 'grpc-metadata-macaroon': macaroon }, PING)).statusCode,
    200,
  )

  const nobody = await post(url, json, PING)
  assert.equal(nobody.statusCode, 401)
  assert.match(nobody.headers['www-authenticate'] ?? '', /^Bearer/)
  const hex = macaroon.replace(/..$/, (last) => (last === '00' ? '01' : '00'))
  assert.equal((await post(url, { ...json, authorization: `Bearer ${hex}` }, PING)).statusCode, 401)

  for (const origin of ['http://evil.example', 'null', 'http://localhost.evil.example']) {
    // A name that was made to point here sends itself as the host, too.
    const answer = await post(url, { ...known, origin, host: 'evil.example' }, PING)
    assert.equal(answer.statusCode, 403, origin)
  }
  assert.equal(
    (await post(url, { ...known, origin: 'http://localhost:6274' }, PING)).statusCode,
    200,
  )

  for (const body of ['', '{', '[]', '{"jsonrpc":"2.0"}', 'null', '"x"', '[1]']) {
    const { statusCode = 0 } = await post(url, known, body)
    assert.ok(statusCode >= 200 && statusCode < 500, `${body} drew ${statusCode}`)
  }
  assert.equal((await post(url, known, 'x'.repeat(1_100_000))).statusCode, 400)
  const listening = await fetch(`${url}/_pinhole/mcp`, { headers: { accept: 'text/event-stream' } })
  assert.equal(listening.status, 405)
})
