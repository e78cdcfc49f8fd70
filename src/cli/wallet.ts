/** The node that a command pays from: connected to when there is something to pay, and let go of at the end. */
import path from 'node:path'
import { PinholeError } from '../base/errors.ts'
import { nodeWallet, type PayingNode } from '../client/node-wallet.ts'
import type { Wallet } from '../client/wallet.ts'
import type { Config } from '../config/load.ts'
import { connectStored, unknownNode } from '../nodes/connect-stored.ts'
import { withDirectNode } from '../nodes/direct.ts'
import { lndAddress } from '../nodes/lnd-line.ts'
import { DIRECT_NODE } from '../nodes/names.ts'
import { connect } from '../../mailbox/connect/node.ts'
import { type HubOptions, type StoredNodes, withStoredNodes } from './open-rows.ts'

/** Which node. */
export interface WalletOptions extends HubOptions {
  readonly node?: string
  /** The simulated buyer of the sandbox at `url`, in place of a paired node. */
  readonly sandbox?: boolean
  /** What is to be paid for. */
  readonly url: URL
}

/** A wallet that has to be closed. Its calls reject as connecting does, with `ERR_NODE_UNKNOWN` among others. */
export interface OpenWallet extends Required<Wallet> {
  close(): Promise<void>
}

/** Path of the sandbox at which it lends a session of its buyer. */
const SESSION_PATH = '/sandbox/buyer'

/** The wallet; nothing is opened before it is used. */
export function openWallet(options: WalletOptions): OpenWallet {
  let opened: Promise<Held<PayingNode>> | undefined
  const wallet = async () => {
    opened ??= hold((use) =>
      options.sandbox ? withBuyer(options.url, use) : withNode(options, use),
    )
    return nodeWallet((await opened).resource)
  }
  return {
    pay: async (invoice, how) => (await wallet()).pay(invoice, how),
    lookup: async (paymentHash) => (await wallet()).lookup(paymentHash),
    async close() {
      // What opening failed with was told to whoever wanted to pay.
      const held = await opened?.catch(() => undefined)
      await held?.close()
    },
  }
}

type Use<T> = (resource: T) => Promise<void>

interface Held<T> {
  readonly resource: T
  close(): Promise<void>
}

/** What `lend` lends for the time of a call, until it is closed. */
function hold<T>(lend: (use: Use<T>) => Promise<void>): Promise<Held<T>> {
  return new Promise((resolve, reject) => {
    const lent = lend(
      (resource) =>
        new Promise<void>((release) => {
          const close = () => {
            release()
            return lent
          }
          resolve({ resource, close })
        }),
    )
    lent.catch(reject)
  })
}

async function withNode(options: WalletOptions, use: Use<PayingNode>): Promise<void> {
  await withStoredNodes(options, async (nodes) => {
    const { config, rows, secret } = nodes
    const name = options.node ?? onlyName(nodes)
    if (name === DIRECT_NODE) return withDirect(config, use)
    const node = await connectStored({ rows, secret, name })
    try {
      await use(node)
    } finally {
      await node.close()
    }
  })
}

/** lnd's own macaroon for invoices does not pay; beside it lies the one that does. */
function withDirect({ authenticator }: Config, use: Use<PayingNode>): Promise<void> {
  if (authenticator.lndhost === '') throw unknownNode(DIRECT_NODE)
  const macaroon = path.join(authenticator.macdir, 'admin.macaroon')
  return withDirectNode({ ...lndAddress(authenticator), macaroon }, use)
}

function onlyName({ config, rows }: StoredNodes): string {
  const direct = config.authenticator.lndhost === '' ? [] : [DIRECT_NODE]
  const names = [...rows.list().map(({ name }) => name), ...direct]
  const [name, ...others] = names
  if (name === undefined) {
    throw new PinholeError('ERR_NODE_UNKNOWN', 'no node is paired that could pay: pinhole pair')
  }
  if (others.length === 0) return name
  throw new PinholeError('ERR_CLI_USAGE', `say which node is to pay by --node: ${names.join(', ')}`)
}

async function withBuyer(url: URL, use: Use<PayingNode>): Promise<void> {
  const node = await connect({ mailbox: mailboxOf(url), phrase: await borrowPhrase(url) })
  try {
    await use(node)
  } finally {
    await node.close()
  }
}

async function borrowPhrase({ origin }: URL): Promise<string> {
  const response = await fetch(`${origin}${SESSION_PATH}`, { method: 'POST', redirect: 'error' })
  const given: unknown = await response.json().catch(() => undefined)
  if (response.ok && typeof given === 'object' && given !== null && 'phrase' in given) {
    return String(given.phrase)
  }
  const text = `there is no sandbox at ${origin} that would lend a simulated buyer`
  throw new PinholeError('ERR_NODE_UNKNOWN', text)
}

/** The relay behind the same port. */
function mailboxOf({ protocol, hostname, port }: URL): string {
  const address = `${hostname}:${port || (protocol === 'http:' ? 80 : 443)}`
  return protocol === 'http:' ? `http://${address}` : address
}
