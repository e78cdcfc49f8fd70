import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { PassThrough } from 'node:stream'
import test, { type TestContext } from 'node:test'
import { memoryStore } from '../../mailbox/pairing/pairing.ts'
import { toHex } from '../../src/base/bytes.ts'
import { run } from '../../src/cli/program.ts'
import { readPhrase } from '../../src/cli/read-phrase.ts'
import { openPairing } from '../../src/nodes/sealed-store.ts'
import { nodeSecret } from '../../src/nodes/secret.ts'
import { PAYING, SELLING } from '../../src/nodes/permissions.ts'
import { openStore } from '../../src/store/store.ts'
import { until } from '../mailbox/ends.ts'
import { folder, setUpNode } from '../nodes/setup.ts'
import { CLI, NODE_ARGS } from '../process.ts'

const UNKNOWN_PHRASE = 'abandon ability able about above absent absorb abstract absurd abuse'

/** Runs the program in this process. */
async function pinhole(args: readonly string[], isTTY = false) {
  const texts = { out: '', err: '' }
  const code = await run(args, {
    stdout: { isTTY, write: (text: string) => void (texts.out += text) },
    stderr: { isTTY, write: (text: string) => void (texts.err += text) },
  })
  return { code, ...texts, json: () => JSON.parse(texts.out) as Record<string, unknown> }
}

const codeOf = (err: string) => (JSON.parse(err) as { error: { code: string } }).error.code

async function setUp(t: TestContext, alias = "Bob's Tea-House ☕") {
  const ends = await setUpNode(t, { alias })
  const flags = ['--basedir', ends.basedir, '--mailbox', ends.relay.mailbox, '--insecure-tls']
  const pair = (phrase: string | undefined, ...more: readonly string[]) =>
    pinhole(['pair', ...flags, ...more, ...(phrase ?? '').split(' ')])
  const node = (...args: readonly string[]) => pinhole(['node', ...args, '--basedir', ends.basedir])
  const limited = (...uris: readonly string[]) =>
    ends.simulated.macaroons.bake([{ entity: 'uri', actions: uris }])
  return { ...ends, flags, pair, node, limited }
}

test('pairs, names the node by its alias, shows what it is and allows, keeps its keys sealed', async (t) => {
  const { pair, node, session, basedir, relay } = await setUp(t)
  const { phrase = '' } = await session()
  const { code, err, out, json } = await pair(phrase)
  assert.equal(code, 0, err)
  const { name, alias, pubkey, network, mailbox, permissions, advice } = json()
  assert.deepEqual([name, alias, network], ['bob-s-tea-house', "Bob's Tea-House ☕", 'regtest'])
  assert.deepEqual([mailbox, advice], [relay.mailbox, undefined])
  assert.match(String(pubkey), /^0[23][0-9a-f]{64}$/)
  assert.deepEqual(permissions, [
    ...SELLING.map((method) => ({ method, purpose: 'sell', allowed: true })),
    ...PAYING.map((method) => ({ method, purpose: 'pay', allowed: true })),
  ])
  assert.equal(err, '')
  const [word] = phrase.split(' ').filter((one) => one.length > 4)
  assert.ok(!out.includes(word ?? '-'), 'the phrase is not shown')

  assert.deepEqual(
    readdirSync(basedir).filter((file) => !file.startsWith('pinhole.db')),
    ['node.key'],
  )
  const store = openStore(path.join(basedir, 'pinhole.db'))
  const row = store.nodes.get('bob-s-tea-house') ?? assert.fail('no row')
  const { pairing, insecureTls } = await openPairing(row, nodeSecret({ basedir }))
  await store.close()
  assert.equal(insecureTls, true)
  for (const file of readdirSync(basedir).filter((one) => one !== 'node.key')) {
    const bytes = readFileSync(path.join(basedir, file))
    assert.equal(statSync(path.join(basedir, file)).mode & 0o077, 0, file)
    for (const secret of [pairing.localKey, pairing.remoteKey ?? new Uint8Array(1)]) {
      assert.ok(!bytes.includes(Buffer.from(secret.subarray(0, 8))), file)
      assert.ok(!bytes.includes(toHex(secret).slice(0, 16)), file)
    }
    assert.ok(!bytes.includes(phrase), file)
  }

  const listed = await node('list')
  assert.deepEqual(JSON.parse(listed.out), [
    { name, kind: 'lnc', alias, pubkey, network, address: relay.mailbox },
  ])
  const shown = await node('info', 'bob-s-tea-house')
  assert.equal(shown.code, 0, shown.err)
  assert.deepEqual([shown.json()['state'], shown.json()['alias']], ['connected', alias])
  assert.deepEqual(shown.json()['permissions'], permissions)
})

test('on a terminal a result is lines and a list is a table', async (t) => {
  const { flags, session, basedir } = await setUp(t, 'bob')
  const { phrase = '' } = await session()
  const { code, out, err } = await pinhole(['pair', ...flags, '--name', 'shop', phrase], true)
  assert.equal(code, 0, err)
  assert.match(out, /^name {2}shop\nalias {2}bob\npubkey {2}0[23]/)
  assert.match(out, /^sell {2}GetInfo, AddInvoice, LookupInvoice, SubscribeInvoices$/m)
  assert.match(out, /^pay {2}SendPaymentV2, TrackPaymentV2$/m)
  const listed = await pinhole(['node', 'list', '--basedir', basedir], true)
  const [head = '', line = '', rest] = listed.out.split('\n')
  assert.match(head, /^name {2}kind {2}alias {2}pubkey +network +address/)
  assert.match(line, /^shop {2}lnc {3}bob {4}0[23]/)
  assert.equal(rest, '')
})

test('missing permissions are named with what to type; the exit code says whether it can sell', async (t) => {
  const { pair, session, limited, relay } = await setUp(t, 'bob')
  const seller = await session(memoryStore(), limited(...SELLING))
  const sells = await pair(seller.phrase, '--name', 'seller')
  assert.equal(sells.code, 0, sells.err)
  assert.match(String(sells.json()['advice']), /--uri \/routerrpc\.Router\/SendPaymentV2/)

  const adder = await session(memoryStore(), limited('/lnrpc.Lightning/AddInvoice'))
  const { code, json } = await pair(adder.phrase, '--name', 'adder')
  assert.equal(code, 4)
  const { alias, permissions, advice } = json()
  assert.equal(alias, undefined)
  const allowed = (permissions as { method: string; allowed: boolean }[]).filter((p) => p.allowed)
  assert.deepEqual(
    allowed.map(({ method }) => method),
    ['/lnrpc.Lightning/AddInvoice'],
  )
  const command = [
    '  litcli sessions add --label pinhole --type custom',
    `--mailboxserveraddr ${relay.mailbox}`,
    '--devserver',
    ...SELLING.map((method) => `--uri ${method}`),
  ].join(' \\\n      ')
  assert.ok(String(advice).includes(command), String(advice))

  const buyer = await session(memoryStore(), limited(...PAYING))
  assert.equal((await pair(buyer.phrase, '--name', 'buyer')).code, 0, 'one who pays need not sell')
})

test('a phrase that leads nowhere leaves nothing behind; one that is used up says so', async (t) => {
  const { pair, node, session, basedir } = await setUp(t, 'bob')
  const wrong = await pair(UNKNOWN_PHRASE, '--json')
  assert.deepEqual([wrong.code, codeOf(wrong.err)], [5, 'ERR_SESSION_NOT_FOUND'])
  assert.equal((await node('list')).out, '[]\n')
  const { phrase } = await session()
  assert.equal((await pair(phrase)).code, 0)
  // The same words on the same machine go on with their pairing.
  const again = await pair(phrase)
  assert.deepEqual([again.code, again.json()['name']], [0, 'bob'])
  const renamed = await pair(phrase, '--name', 'other', '--json')
  assert.deepEqual([renamed.code, codeOf(renamed.err)], [1, 'ERR_NODE_EXISTS'])
  const elsewhere = await pair(phrase, '--basedir', path.join(basedir, 'other'), '--json')
  assert.deepEqual([elsewhere.code, codeOf(elsewhere.err)], [5, 'ERR_SESSION_NOT_FOUND'])
})

test('names: unique, from the alias with a number, none that cannot be one', async (t) => {
  const { pair, session, basedir } = await setUp(t, 'Lnd')
  const names: unknown[] = []
  for (const more of [[], [], ['--name', 'x']]) {
    names.push((await pair((await session()).phrase, ...more)).json()['name'])
  }
  assert.deepEqual(names, ['lnd-2', 'lnd-3', 'x'])
  const { phrase } = await session()
  const taken = await pair(phrase, '--name', 'x', '--json')
  assert.deepEqual([taken.code, codeOf(taken.err)], [1, 'ERR_NODE_EXISTS'])
  for (const name of ['lnd', 'Ärger', '../x', 'a'.repeat(33), '']) {
    const refused = await pair(phrase, '--name', name, '--json')
    assert.deepEqual([refused.code, codeOf(refused.err)], [2, 'ERR_CLI_USAGE'], name)
  }
  writeFileSync(
    path.join(basedir, 'pinhole.yaml'),
    `authenticator: { passphrase: ${UNKNOWN_PHRASE}, network: regtest }\n`,
  )
  const reserved = await pair(phrase, '--name', 'default', '--json')
  assert.equal(codeOf(reserved.err), 'ERR_NODE_EXISTS', 'the hub pairs that one by itself')
})

test('wrong words are said before anything is sent or stored', async (t) => {
  const basedir = folder(t)
  const few = await pinhole(['pair', '--json', '--basedir', basedir, 'abandon', 'ability'])
  assert.deepEqual([few.code, codeOf(few.err)], [2, 'ERR_PHRASE_WORD_COUNT'])
  const odd = await pinhole([
    'pair',
    '--basedir',
    basedir,
    ...UNKNOWN_PHRASE.replace('able', 'abel').split(' '),
  ])
  assert.equal(odd.code, 2)
  assert.deepEqual(readdirSync(basedir), [])
})

test('the phrase comes from a terminal or from stdin, and is not echoed', async () => {
  const input = (text: string) => Object.assign(new PassThrough(), {}).end(text)
  assert.equal((await readPhrase([], input(`  ${UNKNOWN_PHRASE}\n`))).trim(), UNKNOWN_PHRASE)
  await assert.rejects(readPhrase([], input('\n')), { code: 'ERR_CLI_USAGE' })
  await assert.rejects(readPhrase([], input('abandon '.repeat(1_000))), { code: 'ERR_CLI_USAGE' })
  await assert.rejects(readPhrase([], input('abandon')), { code: 'ERR_PHRASE_WORD_COUNT' })
  assert.equal(await readPhrase(UNKNOWN_PHRASE.split(' '), input('')), UNKNOWN_PHRASE)
})

test('on a terminal the words are asked for and masked, and asked again until they are ten', async () => {
  const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode() {} })
  const output = new PassThrough()
  let shown = ''
  output.on('data', (chunk: Buffer) => (shown += chunk.toString()))
  const reading = readPhrase([], input, output)
  input.write('abandon\r')
  await until(() => shown.includes('10 words') || /ten words, not/.test(shown))
  input.write(`${UNKNOWN_PHRASE.slice('abandon'.length)}\r`)
  assert.equal(await reading, UNKNOWN_PHRASE)
  for (const word of UNKNOWN_PHRASE.split(' ')) assert.ok(!shown.includes(word), word)

  const cancelled = readPhrase([], input, output)
  input.write('\x03')
  await assert.rejects(cancelled, { code: 'ERR_CLI_USAGE' })
})

test('a process that reads the words from stdin pairs and ends', async (t) => {
  const { flags, session } = await setUp(t, 'bob')
  const { phrase = '' } = await session()
  const child = spawn(process.execPath, [...NODE_ARGS, CLI, 'pair', ...flags])
  t.after(() => child.kill('SIGKILL'))
  const out: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => out.push(chunk))
  child.stdin.end(`${phrase}\n`)
  const code = await new Promise((resolve) => child.once('exit', resolve))
  const said = Buffer.concat(out).toString()
  assert.equal(code, 0, said)
  assert.match(said, /"name":"bob"/)
  assert.ok(!said.includes(phrase))
})
