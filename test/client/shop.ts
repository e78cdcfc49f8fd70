/** A server that sells by L402, and a network in which its invoices are paid. */
import { createHash, randomBytes } from 'node:crypto'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { toHex } from '../../src/base/bytes.ts'
import { PinholeError } from '../../src/base/errors.ts'
import { decodeInvoice } from '../../src/bolt11/decode.ts'
import { encodeInvoice } from '../../src/bolt11/encode.ts'
import type { Payment, PaymentState, Wallet } from '../../src/client/wallet.ts'
import { parseAuthorization } from '../../proxy/l402/authorization.ts'
import { serviceCaveats } from '../../proxy/l402/caveat.ts'
import { formatChallenge } from '../../proxy/l402/challenge.ts'
import { mint } from '../../proxy/l402/mint.ts'
import { verify } from '../../proxy/l402/verify.ts'

const KEY = new Uint8Array(32).fill(7)

/** Invoices and who has paid them; a node would do the same over the wire. */
export class Ledger {
  readonly #preimages = new Map<string, Uint8Array>()
  /** Payment hashes in hex, one for each time that money left. */
  readonly payments: string[] = []

  invoice(amountMsat: bigint | undefined, expirySeconds = 3_600, nowMs = Date.now()): string {
    const preimage = randomBytes(32)
    const paymentHash = createHash('sha256').update(preimage).digest()
    this.#preimages.set(toHex(paymentHash), preimage)
    return encodeInvoice(
      {
        network: 'bcrt',
        amountMsat,
        timestampSeconds: Math.floor(nowMs / 1000),
        paymentHash,
        paymentSecret: randomBytes(32),
        description: 'test',
        expirySeconds,
        minFinalCltvExpiry: 80,
        features: [8, 14],
      },
      KEY,
    )
  }

  /** Pays as lnd does: the second time of one invoice costs nothing. */
  pay(invoice: string): Payment {
    const hash = toHex(decodeInvoice(invoice).paymentHash)
    const preimage = this.#preimages.get(hash)
    if (!preimage) throw new PinholeError('ERR_PAYMENT_FAILED', 'no route')
    if (!this.payments.includes(hash)) this.payments.push(hash)
    return { preimage, feeMsat: 0n }
  }

  state(paymentHash: Uint8Array): PaymentState {
    const hash = toHex(paymentHash)
    const preimage = this.#preimages.get(hash)
    return preimage && this.payments.includes(hash)
      ? { name: 'paid', preimage }
      : { name: 'unknown' }
  }

  wallet(): Required<Wallet> {
    return {
      pay: async (invoice) => this.pay(invoice),
      lookup: async (hash) => this.state(hash),
    }
  }
}

export interface Shop {
  readonly url: string
  readonly ledger: Ledger
  /** Paths and bodies of the requests, and whether each was served. */
  readonly requests: { path: string; body: string; status: number }[]
  /** Root keys of sold tokens by identifier hash; deleting one revokes the token. */
  readonly rootKeys: Map<string, Uint8Array>
  /** Changes what a 402 says. */
  challenge: (offer: { macaroon: Uint8Array; invoice: string }) => readonly string[]
  priceMsat: bigint | undefined
  expirySeconds: number
  /** The service of a path; `undefined` is free. */
  serviceOf: (path: string) => string | undefined
  /** Refuses every credential. */
  stubborn: boolean
}

/** Sells each first segment of a path as a service of its own, at 10 satoshis. */
export async function openShop(t: TestContext): Promise<Shop> {
  const shop: Omit<Shop, 'url'> = {
    ledger: new Ledger(),
    requests: [],
    rootKeys: new Map(),
    challenge: formatChallenge,
    priceMsat: 10_000n,
    expirySeconds: 3_600,
    serviceOf: (path) => (path.startsWith('/free') ? undefined : path.split('/')[1]),
    stubborn: false,
  }
  const server = http.createServer((request, response) => {
    void readAll(request).then((body) => answer(shop, request, response, body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return Object.assign(shop, { url: `http://127.0.0.1:${port}` })
}

async function readAll(request: http.IncomingMessage): Promise<string> {
  let body = ''
  for await (const chunk of request.setEncoding('utf8')) body += String(chunk)
  return body
}

function answer(
  shop: Omit<Shop, 'url'>,
  request: http.IncomingMessage,
  response: http.ServerResponse,
  body: string,
): void {
  const { pathname: path } = new URL(request.url ?? '', 'http://shop')
  const service = shop.serviceOf(path)
  const served = service === undefined || (!shop.stubborn && isPaid(shop, request, service))
  const status = served ? 200 : 402
  shop.requests.push({ path, body, status })
  if (!served) response.setHeader('www-authenticate', [...shop.challenge(offerOf(shop, service))])
  response.writeHead(status).end(served ? `served ${path} ${body}` : 'payment required\n')
}

/** Whether a credential among raw headers opens `service`. */
export function isPaid(
  shop: Pick<Shop, 'rootKeys'>,
  request: { rawHeaders: readonly string[] },
  service: string,
): boolean {
  return parseAuthorization(request.rawHeaders).some(
    (credential) =>
      verify(credential, {
        rootKey: (hash) => shop.rootKeys.get(toHex(hash)),
        service,
        nowMs: Date.now(),
      }).name === 'valid',
  )
}

/** A new token of `service` for sale. */
export function offerOf(
  shop: Pick<Shop, 'rootKeys' | 'ledger' | 'priceMsat' | 'expirySeconds'>,
  service: string,
  nowMs = Date.now(),
): { macaroon: Uint8Array; invoice: string } {
  const invoice = shop.ledger.invoice(shop.priceMsat, shop.expirySeconds, nowMs)
  const rootKey = randomBytes(32)
  const { macaroon, identifier } = mint({
    rootKey,
    paymentHash: decodeInvoice(invoice).paymentHash,
    tokenId: randomBytes(32),
    caveats: serviceCaveats(
      { name: service, capabilities: '', constraints: [], timeoutSeconds: 0 },
      Date.now() / 1000,
    ),
  })
  shop.rootKeys.set(toHex(createHash('sha256').update(identifier).digest()), rootKey)
  return { macaroon, invoice }
}
