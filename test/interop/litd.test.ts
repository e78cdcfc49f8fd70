/**
 * A real litd whose session goes through the relay of the very hub that sells with it, made by the command of
 * docs/terminal.md: paired, paid by a second lnd, there again after hub and litd were ended, and revoked.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import { offerOf, pay, until } from '../system/sale/buying.ts'
import { HubProcess } from '../system/sale/hub-process.ts'
import { cheapWare } from '../system/sale/http-ware.ts'
import { openPurse } from '../system/sale/purse.ts'
import { startUpstreams } from '../system/sale/upstreams.ts'
import { Litd } from './litd.ts'
import { requirePeers } from './peers.ts'
import { startSimnet } from './simnet.ts'
import { Undo } from './undo.ts'

const SELLING = ['GetInfo', 'AddInvoice', 'LookupInvoice', 'SubscribeInvoices']

/** What follows `litcli sessions add` in the documented command for a hub, but for the relay's address. */
function documentedWords(mailbox: string): string[] {
  const file = path.resolve(import.meta.dirname, '../../docs/terminal.md')
  const text = readFileSync(file, 'utf8').replaceAll('\\\n', ' ')
  const [, words = ''] = /^litcli sessions add (.*--type custom.*)$/m.exec(text) ?? []
  assert.ok(words.includes('mailbox.example.com:443'), 'the document has the command')
  return words.replace('mailbox.example.com:443', mailbox).split(/ +/)
}

/** Starts everything but the session. */
async function openStage(undo: Undo) {
  const litd = await Litd.create()
  undo.push(() => litd.remove())
  const [simnet, upstreams] = await Promise.all([startSimnet(litd.program), startUpstreams()])
  undo.push(() => simnet.stop())
  undo.push(() => upstreams.close())
  const hub = await HubProcess.create(upstreams, 'hashmail: {enabled: true}\n')
  undo.push(() => hub.stop())
  await hub.start()
  const purse = await openPurse(simnet.payer)
  undo.push(() => purse.close())
  return { litd, simnet, hub, purse, ware: cheapWare(hub) }
}

test('a litd sells through the relay of its own hub', { timeout: 240_000 }, async (t) => {
  if (!requirePeers(t, 'litd', 'litcli', 'lnd', 'btcd')) return
  const undo = new Undo(t)
  const { litd, simnet, hub, purse, ware } = await openStage(undo)
  const session = await litd.addSession(...documentedWords(hub.address), '--devserver')
  const ready = () => until('the node is ready', async () => (await hub.node()).state === 'ready')
  const sell = async () => {
    const token = await pay(purse, await offerOf(ware))
    await ware.collect(token)
    return token
  }
  const stateOf = async () =>
    (await litd.sessions()).find(({ label }) => label === session.label)?.session_state

  await t.test('pairs, with a session that allows to sell and nothing else', async () => {
    const { pubkey, network, permissions } = await hub.pair(
      session.pairing_secret_mnemonic,
      hub.address,
    )
    const { identity_pubkey: own } = await simnet.payee.info()
    assert.deepEqual([pubkey, network], [own, 'simnet'])
    assert.ok(Array.isArray(permissions))
    const allowed = permissions.filter(({ allowed }: { allowed: boolean }) => allowed)
    const names = allowed.map(({ method }: { method: string }) => method.split('/').at(-1))
    assert.deepEqual(names, SELLING)
    hub.reload()
    await ready()
  })

  const tokens: string[] = []
  await t.test('sells, and sees a second lnd pay', async () => {
    tokens.push(await sell())
    await until('the payment is known', () => hub.unsettled(purse.paid.keys()).length === 0)
  })

  await t.test('goes on when the hub, and with it the relay, was killed', async () => {
    await hub.kill()
    await hub.start()
    await ready()
    tokens.push(await sell())
  })

  await t.test('goes on when litd was ended and started again', async () => {
    await simnet.payee.restart()
    await Promise.all([ready(), simnet.payable()])
    tokens.push(await sell())
    await until('all payments are known', () => hub.unsettled(purse.paid.keys()).length === 0)
  })

  await t.test('says so when the session was revoked, and honours what it sold', async () => {
    await litd.revoke(session)
    assert.equal(await stateOf(), 'STATE_REVOKED')
    await until('the node is missed', async () => (await hub.node()).state !== 'ready')
    for (const token of tokens) await ware.collect(token)
  })
})
