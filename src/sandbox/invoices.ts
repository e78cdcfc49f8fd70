/** Invoices of the simulated node in memory, with lnd's rules: indexes, states, real preimages and hashes. */
import { createHash, randomBytes } from 'node:crypto'
import { create } from '@bufbuild/protobuf'
import type { Clock } from '../base/clock.ts'
import { toHex } from '../base/bytes.ts'
import {
  InvoiceSchema,
  Invoice_InvoiceState,
  type Invoice,
} from '../../mailbox/rpc/gen/lightning_pb.ts'

/** lnd's default, in seconds. */
const DEFAULT_EXPIRY_SECONDS = 86_400n
const PREIMAGE_BYTES = 32
/** Invoices kept; the sandbox is no archive. */
const MAX_INVOICES = 100_000

/** What the node answers when it refuses, with lnd's words. */
export class Refusal extends Error {
  readonly grpc: number

  constructor(grpc: number, message: string) {
    super(message)
    this.grpc = grpc
  }
}

const UNKNOWN = 2
const NOT_FOUND = 5

/** The invoices of one node. */
export class InvoiceLedger {
  readonly #clock: Clock
  readonly #encode: (invoice: Invoice) => string
  readonly #invoices = new Map<string, Invoice>()
  readonly #listeners = new Set<(invoice: Invoice) => void>()
  #addIndex = 0n
  #settleIndex = 0n

  /** `encode` writes the payment request of an invoice. */
  constructor(clock: Clock, encode: (invoice: Invoice) => string) {
    this.#clock = clock
    this.#encode = encode
  }

  /** Adds an invoice made of the fields that AddInvoice takes. Throws `Refusal`. */
  add(wanted: Invoice): Invoice {
    const preimage = wanted.rPreimage.length > 0 ? wanted.rPreimage : randomBytes(PREIMAGE_BYTES)
    if (preimage.length !== PREIMAGE_BYTES) {
      throw new Refusal(
        UNKNOWN,
        `payment preimage must be exactly 32 bytes, is instead ${preimage.length}`,
      )
    }
    const hash = createHash('sha256').update(preimage).digest()
    if (this.#invoices.has(toHex(hash))) {
      throw new Refusal(UNKNOWN, 'invoice with payment hash already exists')
    }
    if (this.#invoices.size >= MAX_INVOICES) throw new Refusal(UNKNOWN, 'the sandbox is full')
    const invoice = create(InvoiceSchema, {
      memo: wanted.memo,
      rPreimage: preimage,
      rHash: hash,
      ...amount(wanted),
      creationDate: this.#seconds(),
      expiry: wanted.expiry > 0n ? wanted.expiry : DEFAULT_EXPIRY_SECONDS,
      descriptionHash: wanted.descriptionHash,
      cltvExpiry: 80n,
      addIndex: ++this.#addIndex,
      paymentAddr: randomBytes(32),
      private: wanted.private,
    })
    invoice.paymentRequest = this.#encode(invoice)
    this.#invoices.set(toHex(hash), invoice)
    this.#tell(invoice)
    return invoice
  }

  /** The invoice of a payment hash in hex. Throws `Refusal`. */
  find(hash: string): Invoice {
    const invoice = this.#invoices.get(hash)
    if (!invoice) throw new Refusal(NOT_FOUND, 'unable to locate invoice')
    return invoice
  }

  /** Whether there is an invoice of that hash which can be paid now. */
  payable(hash: string): boolean {
    const invoice = this.#invoices.get(hash)
    if (invoice?.state !== Invoice_InvoiceState.OPEN) return false
    return this.#seconds() < invoice.creationDate + invoice.expiry
  }

  /** Settles an open invoice that was paid with `msat`. */
  settle(hash: string, msat: bigint): Invoice {
    const invoice = this.find(hash)
    if (!this.payable(hash)) throw new Refusal(UNKNOWN, 'invoice is not open')
    invoice.state = Invoice_InvoiceState.SETTLED
    invoice.settled = true
    invoice.settleDate = this.#seconds()
    invoice.settleIndex = ++this.#settleIndex
    invoice.amtPaidMsat = msat
    invoice.amtPaidSat = msat / 1000n
    invoice.amtPaid = msat
    this.#tell(invoice)
    return invoice
  }

  /** Cancels an invoice that is not settled. Throws `Refusal`. */
  cancel(hash: string): void {
    const invoice = this.find(hash)
    if (invoice.state === Invoice_InvoiceState.SETTLED) {
      throw new Refusal(UNKNOWN, 'invoice already settled')
    }
    invoice.state = Invoice_InvoiceState.CANCELED
  }

  /** What a subscriber with these indexes missed; an index of 0 asks for nothing of the past. */
  since(addIndex: bigint, settleIndex: bigint): Invoice[] {
    const all = [...this.#invoices.values()]
    const added = addIndex === 0n ? [] : all.filter((invoice) => invoice.addIndex > addIndex)
    const settled =
      settleIndex === 0n ? [] : all.filter((invoice) => invoice.settleIndex > settleIndex)
    settled.sort((a, b) => Number(a.settleIndex - b.settleIndex))
    return [...added, ...settled]
  }

  /** Calls `listener` for each invoice added or settled from now on, until the returned function is called. */
  listen(listener: (invoice: Invoice) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #tell(invoice: Invoice): void {
    for (const listener of this.#listeners) listener(invoice)
  }

  #seconds(): bigint {
    return BigInt(Math.floor(this.#clock.wall() / 1000))
  }
}

/** Satoshis and millisatoshis of one amount, of which a request gives one. */
function amount(wanted: Invoice): { value: bigint; valueMsat: bigint } {
  if (wanted.value !== 0n && wanted.valueMsat !== 0n) {
    throw new Refusal(UNKNOWN, 'sat and msat arguments are mutually exclusive')
  }
  const msat = wanted.valueMsat !== 0n ? wanted.valueMsat : wanted.value * 1000n
  if (msat < 0n) throw new Refusal(UNKNOWN, 'payments of negative value are not allowed')
  return { value: msat / 1000n, valueMsat: msat }
}
