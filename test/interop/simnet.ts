/**
 * A Lightning network of one channel: btcd on simnet, a payer, a payee and 1,000,000 sat from the one to the
 * other. All on loopback, in a folder that goes when it is stopped.
 */
import { accessSync, constants, statfsSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { z } from 'zod'
import { Btcd } from './btcd.ts'
import { Lnd, type LndProgram } from './lnd.ts'

/** Segwit is active from here on: it locks in as BIP 9 says, in windows of 100 blocks. */
const SEGWIT_BLOCKS = 450
const CHANNEL_SAT = 1_000_000
/** Nobody has its key: 20 bytes of the SHA-256 of "pinhole", as a simnet address. */
const NOBODY = 'SUk6xs2sYN6v51TTSHShhfsg7tr3qajBLT'

const Address = z.object({ address: z.string() })
const Balance = z.object({ confirmed_balance: z.string() })
const Channel = z.object({ active: z.boolean() })
const Channels = z.object({ channels: z.array(Channel) })
const Payment = z.object({ payment_error: z.string(), payment_preimage: z.string() })

/** The running network. */
export interface Simnet {
  readonly payer: Lnd
  readonly payee: Lnd
  /** Pays an invoice of the payee: the preimage in hex. */
  pay(invoice: string): Promise<string>
  generate(blocks: number): Promise<void>
  /** Resolves once the payee can be paid, after it was away. */
  payable(): Promise<void>
  stop(): Promise<void>
}

const MEMORY = '/dev/shm'
const ENOUGH_BYTES = 2 ** 30

/**
 * Where the peers keep their data: in memory where there is room. In the world they have a disk of their own, and
 * hundreds of their fsyncs a second before those of the hub's database would be what is measured.
 */
function disk(): string {
  try {
    const { bavail, bsize } = statfsSync(MEMORY)
    accessSync(MEMORY, constants.W_OK)
    if (bavail * bsize > ENOUGH_BYTES) return MEMORY
  } catch {
    // Not there, or not ours.
  }
  return tmpdir()
}

/** Starts everything, the payee in that program; takes some ten seconds. */
export async function startSimnet(program?: LndProgram): Promise<Simnet> {
  const folder = await mkdtemp(path.join(disk(), 'pinhole-simnet-'))
  let btcd: Btcd | undefined
  const nodes: Lnd[] = []
  const stop = async (): Promise<void> => {
    // An lnd that has lost its btcd first takes long to end.
    await Promise.all(nodes.map((node) => node.stop()))
    await btcd?.stop()
    await rm(folder, { recursive: true, force: true })
  }
  try {
    const btcdFolder = path.join(folder, 'btcd')
    await mkdir(btcdFolder)
    const chain = await Btcd.start(btcdFolder, NOBODY)
    btcd = chain
    // lnd answers only once the newest block is of today, and the miner wants its address first.
    await chain.generate(1)
    const payer = await Lnd.start('payer', path.join(folder, 'payer'), chain)
    nodes.push(payer)
    const { address } = Address.parse(await payer.rest('GET', '/v1/newaddress'))
    await payer.stop()
    await chain.mineTo(address)
    await chain.generate(SEGWIT_BLOCKS)
    const [payee] = await Promise.all([
      Lnd.start('payee', path.join(folder, 'payee'), chain, program),
      payer.restart(),
    ])
    nodes.push(payee)
    await openChannel(payer, payee, chain)
    return {
      payer,
      payee,
      stop,
      pay: (invoice) => pay(payer, invoice),
      generate: (n) => chain.generate(n),
      payable: () => payable(payer, payee),
    }
  } catch (cause) {
    await stop()
    throw cause
  }
}

async function openChannel(payer: Lnd, payee: Lnd, btcd: Btcd): Promise<void> {
  await payer.until('funded', async () => {
    const balance = Balance.parse(await payer.rest('GET', '/v1/balance/blockchain'))
    return Number(balance.confirmed_balance) > CHANNEL_SAT
  })
  const { identity_pubkey: pubkey } = await payee.info()
  await payer.rest('POST', '/v1/peers', { addr: { pubkey, host: payee.peerHost } })
  await payer.rest('POST', '/v1/channels', {
    node_pubkey: Buffer.from(pubkey, 'hex').toString('base64'),
    local_funding_amount: String(CHANNEL_SAT),
  })
  await btcd.generate(6)
  await payable(payer, payee)
}

async function payable(payer: Lnd, payee: Lnd): Promise<void> {
  const { identity_pubkey: pubkey } = await payee.info()
  const active = async (node: Lnd): Promise<boolean> => {
    const { channels } = Channels.parse(await node.rest('GET', '/v1/channels'))
    return channels.some((channel) => channel.active)
  }
  await Promise.all([payer, payee].map((node) => node.until('connected', () => active(node))))
  // An active channel can be paid through once it is in the payer's graph.
  await payer.until('routed', async () => {
    await payer.rest('GET', `/v1/graph/routes/${pubkey}/1000`)
    return true
  })
}

async function pay(payer: Lnd, invoice: string): Promise<string> {
  const answer = await payer.rest('POST', '/v1/channels/transactions', { payment_request: invoice })
  const payment = Payment.parse(answer)
  if (payment.payment_error !== '') throw new Error(`not paid: ${payment.payment_error}`)
  return Buffer.from(payment.payment_preimage, 'base64').toString('hex')
}
