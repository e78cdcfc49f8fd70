import assert from 'node:assert/strict'
import test from 'node:test'

import { concat, toHex } from '../../../src/base/bytes.ts'
import { systemClock } from '../../../src/base/clock.ts'
import { nodeCrypto } from '../../../mailbox/crypto/node.ts'
import { decodePacket } from '../../../mailbox/gbn/packet.ts'
import type { Link } from '../../../mailbox/link.ts'
import { decodeMessage } from '../../../mailbox/message.ts'
import { initiate, respond } from '../../../mailbox/noise/handshake.ts'
import type { HandshakeOptions } from '../../../mailbox/noise/handshake.ts'
import { pairedStreamIds, pairingStreamIds } from '../../../mailbox/stream-id.ts'
import { stretch } from '../../../mailbox/stretch.ts'
import { bytes, knownAnswers } from '../known-answers.ts'

interface Stack {
  constants: {
    entropy: string
    auth_data: string
    client_static_priv: string
    server_static_priv: string
  }
  cases: {
    name: string
    pattern: string
    sid_server_to_client: string
    sid_client_to_server: string
    initiator_ephemeral_priv: string
    responder_ephemeral_priv: string
    relay_events: { what: string; stream_id: string; payload?: string }[]
  }[]
}

interface Decoded {
  cases: {
    noise_messages: {
      dir: 'c2s' | 's2c'
      noise_act?: number
      noise_plaintext_length?: number
      plaintext?: string
    }[]
  }[]
}

const { constants, cases } = knownAnswers<Stack>('stack.json')
const decoded = knownAnswers<Decoded>('stack_decoded.json').cases
const client = bytes(constants.client_static_priv)
const server = bytes(constants.server_static_priv)

/** Noise bytes of one direction in order: DATA payloads without resends, out of their MsgData. */
function noiseMessages(entry: Stack['cases'][number], streamId: string): Uint8Array[] {
  const messages: Uint8Array[] = []
  for (const { what, stream_id, payload } of entry.relay_events) {
    if (what !== 'message' || stream_id !== streamId || payload === undefined) continue
    const packet = decodePacket(bytes(payload))
    if (packet.type !== 'data' || packet.ping || packet.seq !== messages.length % 21) continue
    messages.push(decodeMessage(packet.payload))
  }
  return messages
}

/** A link that receives `messages`, ends, and notes what is sent. */
function playing(messages: readonly Uint8Array[]): Link & { readonly sent: Uint8Array[] } {
  const left = [...messages]
  const sent: Uint8Array[] = []
  return {
    sent,
    send: async (message) => void sent.push(message),
    receive: async () => left.shift(),
    close: async () => {},
  }
}

for (const [at, entry] of cases.entries()) {
  const toClient = noiseMessages(entry, entry.sid_server_to_client)
  const toServer = noiseMessages(entry, entry.sid_client_to_server)
  const plaintexts = (dir: 'c2s' | 's2c') =>
    (decoded[at]?.noise_messages ?? []).filter((m) => m.dir === dir && m.noise_act === undefined)

  const options = async (own: Uint8Array, peer: Uint8Array): Promise<HandshakeOptions> => ({
    crypto: nodeCrypto,
    clock: systemClock,
    static: own,
    ...(entry.pattern === 'KK'
      ? { remoteStatic: nodeCrypto.publicKey(peer) }
      : { stretched: await stretch(bytes(constants.entropy), nodeCrypto) }),
  })

  /** Plays one end against the recording, then sends what that end sent, and compares every byte. */
  async function play(role: 'initiator' | 'responder'): Promise<void> {
    const initiator = role === 'initiator'
    const [heard, said] = initiator ? [toClient, toServer] : [toServer, toClient]
    const lower = playing(heard)
    const session = await (initiator ? initiate : respond)(lower, {
      ...(await (initiator ? options(client, server) : options(server, client))),
      ephemeral: bytes(entry[`${role}_ephemeral_priv`]),
      authData: new TextEncoder().encode(constants.auth_data),
    })
    assert.equal(new TextDecoder().decode(session.authData), constants.auth_data)
    const received = plaintexts(initiator ? 's2c' : 'c2s')
    for (const { noise_plaintext_length, plaintext = '' } of received) {
      const record = await session.link.receive()
      assert.equal(record?.length, noise_plaintext_length)
      const shown = plaintext.replace(/\.\.\.$/, '')
      assert.equal(toHex(record ?? new Uint8Array()).slice(0, shown.length), shown)
    }
    assert.equal(await session.link.receive(), undefined, 'nothing is left over')
    const acts = lower.sent.map(toHex)
    assert.deepEqual(
      acts,
      said.slice(0, acts.length).map((message) => toHex(message)),
    )
  }

  test(`${entry.name}: the client's end`, () => play('initiator'))
  test(`${entry.name}: the server's end`, () => play('responder'))

  test(`${entry.name}: both ends send what was recorded`, async () => {
    const heard = playing(toServer)
    const asServer = await respond(heard, {
      ...(await options(server, client)),
      ephemeral: bytes(entry.responder_ephemeral_priv),
      authData: new TextEncoder().encode(constants.auth_data),
    })
    const records: Uint8Array[] = []
    for (let next = await asServer.link.receive(); next; next = await asServer.link.receive()) {
      records.push(next)
    }
    const again = playing(toClient)
    const asClient = await initiate(again, {
      ...(await options(client, server)),
      ephemeral: bytes(entry.initiator_ephemeral_priv),
    })
    for (const record of records) await asClient.link.send(record)
    assert.equal(toHex(concat(...again.sent)), toHex(concat(...toServer)))
  })

  test(`${entry.name}: the stream ids`, () => {
    const ids =
      entry.pattern === 'KK'
        ? pairedStreamIds(client, nodeCrypto.publicKey(server), nodeCrypto)
        : pairingStreamIds(bytes(constants.entropy), nodeCrypto)
    assert.equal(toHex(ids.serverToClient), entry.sid_server_to_client)
    assert.equal(toHex(ids.clientToServer), entry.sid_client_to_server)
  })
}
