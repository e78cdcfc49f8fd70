import assert from 'node:assert/strict'
import test from 'node:test'
import { memoryStore } from '../../mailbox/pairing/pairing.ts'
import { connect } from '../../mailbox/connect/node.ts'
import type { ImportedLncSession } from '../../src/store/imported.ts'
import { adoptSession } from '../../src/nodes/adopt.ts'
import { RowEditor } from '../../src/nodes/row-editor.ts'
import { authenticator, ready, setUpNode } from './setup.ts'

const TERMS = { amountMsat: 21_000n, memo: 'L402', expirySeconds: 600, timeoutMs: 10_000 }

/** A session that another client has paired and left. */
async function aSession(t: Parameters<typeof setUpNode>[0]) {
  const ends = await setUpNode(t)
  const { phrase = '' } = await ends.session()
  const { mailbox, ca } = ends.relay
  const store = memoryStore()
  await (await connect({ mailbox, ca, phrase, store })).close()
  const { localKey, remoteKey } = (await store.load()) ?? assert.fail('nothing was stored')
  const session: ImportedLncSession = {
    id: new Uint8Array(32).fill(9),
    phrase,
    localKey,
    remoteKey,
    mailbox,
    insecureTls: false,
    createdAtMs: 5,
    expiresAtMs: undefined,
  }
  const adopted: Uint8Array[] = []
  const imported = (sessions: readonly ImportedLncSession[]) => ({
    lncSessions: () => sessions,
    adopted: async (id: Uint8Array) => adopted.push(id) > 0,
  })
  return { ...ends, session, imported, adopted }
}

test("Aperture's session goes on by its keys under the phrase of the configuration", async (t) => {
  const { nodes, pairing, session, imported, adopted, rows } = await aSession(t)
  const spaced = session.phrase.toUpperCase().replaceAll(' ', '  ')
  const running = await nodes({ authenticator: pairing(spaced), imported: imported([session]) })
  assert.equal((await (await ready(running.get('default'))).addInvoice(TERMS)).addIndex, 1n)
  assert.deepEqual(adopted, [session.id])
  assert.equal(rows.get('default')?.createdAtMs, 5)
})

test('which session becomes a node, and which does not', async (t) => {
  const { session, imported, adopted, rows, secret } = await aSession(t)
  const editor = new RowEditor(rows)
  const other = { ...session, phrase: `${'abandon '.repeat(9)}ability` }
  const adopt = (values: object, sessions: readonly ImportedLncSession[]) =>
    adoptSession({
      editor,
      secret,
      imported: imported(sessions),
      authenticator: authenticator({ ...values }),
    })
  await adopt({ passphrase: session.phrase, network: 'regtest' }, [other])
  await adopt({ lndhost: 'localhost:1', tlspath: '/x', macdir: '/y' }, [session])
  await adopt({}, [{ ...session, remoteKey: undefined }])
  await adopt({}, [])
  assert.deepEqual([rows.list(), adopted], [[], []])
  await adopt({}, [other, session])
  assert.equal(adopted.length, 1)
  const [row] = rows.list()
  assert.equal(row?.name, 'default')
  await adopt({}, [other])
  assert.deepEqual([rows.list(), adopted.length], [[row], 1], 'a node that is there stays')
})
