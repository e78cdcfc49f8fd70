import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test from 'node:test'
import { connect } from '../../../mailbox/connect/node.ts'
import { listen, type ListenOptions } from '../../../mailbox/listen/listen.ts'
import { fileStore } from '../../../mailbox/pairing/file-store.ts'
import { utf8 } from '../../../src/base/bytes.ts'
import { isPinholeError } from '../../../src/base/errors.ts'
import { type Log, silentLog } from '../../../src/base/log.ts'
import { setUpEnds } from '../ends.ts'

const PHRASE = Array.from({ length: 10 }, () => 'abandon').join(' ')
const MAILBOX = 'http://127.0.0.1:1'

/** What programs without types pass. */
const connectUntyped = (options: object) => connect(options)
const listenUntyped = (options: object) => listen(options as ListenOptions)

test('options of the wrong kind are TypeErrors that name them, and nothing is sent', async () => {
  const reaching = { mailbox: MAILBOX, phrase: PHRASE }
  const wrong: readonly (readonly [object, RegExp])[] = [
    [{ ...reaching, mailbox: 5 }, /mailbox/],
    [{ ...reaching, phrase: 5 }, /phrase/],
    [{ ...reaching, phrase: PHRASE.split(' ') }, /phrase/],
    [{ ...reaching, store: 'node.json' }, /fileStore/],
    [{ ...reaching, timeoutMs: Number.NaN }, /timeoutMs/],
    [{ ...reaching, timeoutMs: -1 }, /timeoutMs/],
    [{ ...reaching, timeoutMs: '200' }, /timeoutMs/],
    [{ ...reaching, signal: new AbortController() }, /^signal is an AbortSignal/],
    [{ ...reaching, ca: 5 }, /^ca is certificates in PEM/],
    [{ ...reaching, ca: '/root/tls.cert' }, /^ca is .*, not a string$/],
    [{ ...reaching, minVersion: '2' }, /^minVersion is 0, 1 or 2/],
    [{ ...reaching, silenceMs: 0 }, /^silenceMs/],
    [{ ...reaching, onState: 'x' }, /^onState is a function/],
    [{ ...reaching, log: {} }, /^log is/],
  ]
  for (const [options, message] of wrong) {
    await assert.rejects(connectUntyped(options), { name: 'TypeError', message })
  }
  for (const none of [undefined, null, MAILBOX]) {
    const untyped = connectUntyped(none as unknown as object)
    await assert.rejects(untyped, { name: 'TypeError', message: /^give options as an object/ })
  }
  const isKeys = (reason: unknown) => isPinholeError(reason, 'ERR_SESSION_KEYS')
  await assert.rejects(connectUntyped({ mailbox: MAILBOX, keys: {} }), isKeys)
})

test('a node does not wait for clients with options of the wrong kind', async () => {
  const onConnection = async () => {}
  const waiting = { mailbox: MAILBOX, phrase: PHRASE, authData: 'Macaroon: 00', onConnection }
  const wrong: readonly (readonly [object, RegExp])[] = [
    [{ ...waiting, authData: undefined }, /authData/],
    [{ ...waiting, authData: 5 }, /authData/],
    [{ ...waiting, transport: 'tcp' }, /tcp/],
    [{ ...waiting, timeoutMs: 0 }, /timeoutMs/],
    [{ ...waiting, onConnection: 'x' }, /^onConnection is a function/],
    [{ ...waiting, onConnection: undefined, server: {} }, /createNodeServer/],
    [{ ...waiting, signal: new AbortController() }, /^signal/],
  ]
  for (const [options, message] of wrong) {
    await assert.rejects(listenUntyped(options), { name: 'TypeError', message })
  }
})

test('a listener of the state that throws disturbs neither end', async (t) => {
  const ends = await setUpEnds(t)
  const lines: string[] = []
  const log: Log = { ...silentLog, error: (_, line) => void lines.push(line), child: () => log }
  const onState = () => {
    throw new Error('a mistake of the program')
  }
  const listener = ends.use(await listen(ends.listening({ log })))
  listener.onState(onState)
  const options = ends.connecting({ phrase: listener.phrase, log, onState })
  const node = ends.use(await connect(options))
  assert.deepEqual(
    await node.rpc.unary('/test.Echo/Unary', utf8('hi')),
    Uint8Array.from(utf8('hi')),
  )
  await node.close()
  await listener.close()
  assert.ok(lines.length >= 3)
  assert.deepEqual([...new Set(lines)], ['a listener of onState threw'])
})

test('a file that holds no pairing is named', async (t) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'pinhole-pairing-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = path.join(folder, 'node.json')
  writeFileSync(file, '{"localKey":')
  await assert.rejects(
    connect({ mailbox: MAILBOX, store: fileStore(file) }),
    (reason) => isPinholeError(reason, 'ERR_SESSION_STORE') && reason.message.startsWith(file),
  )
})
