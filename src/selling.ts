/**
 * What sells: store ► nodes ► invoices, and the snapshot of services that requests are served by. Put
 * together here, taken apart in the reverse order.
 */
import { existsSync, mkdirSync } from 'node:fs'
import path from 'node:path'
import type { Registry } from 'prom-client'
import { Allowance, type AllowanceLimits } from '../proxy/allowance.ts'
import { parseTrusted } from '../proxy/client-address.ts'
import { compileServices } from '../proxy/compile.ts'
import { Freebies } from '../proxy/freebie.ts'
import { parseBlocklist } from '../proxy/networks.ts'
import type { PaywallOptions } from '../proxy/options.ts'
import { RateLimiter } from '../proxy/rate-limit.ts'
import { registerRateLimits } from '../proxy/rate-limit-metrics.ts'
import type { Snapshot } from '../proxy/route.ts'
import type { Clock } from './base/clock.ts'
import { asPinholeError } from './base/errors.ts'
import type { Log } from './base/log.ts'
import type { Config } from './config/load.ts'
import { openInvoices, type InvoiceHealth, type InvoiceParts, type Invoices } from './invoices.ts'
import type { NodeSource } from './invoices/node.ts'
import { areOperated, openNodes, type Nodes } from './nodes/nodes.ts'
import { nodeSecret } from './nodes/secret.ts'
import { compileDeps } from './selling/compile-deps.ts'
import { LiveServiceBook, type ServiceBook } from './selling/service-book.ts'
import type { ServiceSettings } from './selling/service-fields.ts'
import { staticFiles } from './static-files.ts'
import { databasePlace } from './store/aperture/beside.ts'
import { holdDatabase, type Hold } from './store/one-hub.ts'
import { openStore, type Store } from './store/store.ts'

/** How often full buckets and offers that nobody paid are forgotten. */
const HOUSEKEEPING_MS = 10 * 60_000

/** What a hub sells by. */
export interface Selling {
  /** For the paywall's plugin. */
  readonly paywall: PaywallOptions
  /** The nodes, for health. */
  readonly nodes: readonly InvoiceHealth[]
  /** What the admin API works with. */
  readonly parts: SellingParts
  /**
   * Puts the services of `config` in the place of those so far, from the next request on, and looks for
   * nodes that were paired since. Throws `ERR_CONFIG_VALUE`, and then nothing has changed.
   */
  reload(config: Config): void
  close(): Promise<void>
}

/** The parts of selling that the admin API asks and changes. */
export interface SellingParts {
  readonly store: Store
  /** `undefined` when the caller brought some that can only be asked for invoices. */
  readonly nodes: Nodes | undefined
  readonly invoices: Invoices
  readonly services: ServiceBook
  readonly allowance: Allowance
}

/** What selling is made of. */
export interface SellingDeps {
  readonly clock: Clock
  readonly log: Log
  readonly registry: Registry
  /** Nodes in place of those that are configured and paired; closed with the rest when they are `Nodes`. */
  readonly nodes?: NodeSource | undefined
}

/** Whether `config` asks for a paywall at all. A mere relay needs no database. */
export const sells = ({ services, servestatic, authenticator, admin }: Config): boolean =>
  services.length > 0 ||
  servestatic ||
  authenticator.lndhost !== '' ||
  authenticator.passphrase !== '' ||
  // Nodes and services may come while it runs.
  admin.enabled

/**
 * Opens everything; no node has to be there, nor its key. Throws `ERR_CONFIG_VALUE`, `ERR_STORE_OPEN`,
 * `ERR_STORE_SCHEMA` or `ERR_STORE_IN_USE`.
 */
export async function openSelling(config: Config, deps: SellingDeps): Promise<Selling> {
  const { clock, log } = deps
  const file = ownDatabase(config, log)
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 })
  const { skipmigrations: skipMigrations } = config.sqlite
  const ownLog = log.child({ part: 'store' })
  const hold = await holdDatabase(file, { clock, log: ownLog })
  let store: Store | undefined
  let nodes: Nodes | undefined
  try {
    store = openStore(file, { clock, log: ownLog, skipMigrations })
    const services = openBook(config, store, deps)
    if (!deps.nodes) nodes = await openPairedNodes(config, store, deps)
    else if (areOperated(deps.nodes)) nodes = deps.nodes
    return new RunningSelling(config, deps, { hold, store, nodes, services })
  } catch (error) {
    await nodes?.close()
    await store?.close()
    hold.release()
    throw error
  }
}

/** An `aperture.yaml` may name the database of the Aperture that it was written for. */
function ownDatabase({ sqlite, configfile }: Config, log: Log): string {
  const { file, aperture } = databasePlace(sqlite.databasefilename)
  if (aperture === undefined) return file
  log.info({ database: file }, `${aperture} is Aperture's database: what is kept is in ${file}`)
  if (!existsSync(file)) {
    const flag = configfile === '' ? '' : ` --configfile ${configfile}`
    const text =
      'tokens that Aperture sold open nothing here yet: stop this hub and that Aperture, and run'
    log.warn({}, `${text} pinhole import ${aperture}${flag}`)
  }
  return file
}

function openPairedNodes(
  config: Config,
  store: Store,
  { clock, log }: SellingDeps,
): Promise<Nodes> {
  return openNodes({
    rows: store.nodes,
    secret: nodeSecret({
      basedir: config.basedir,
      passphrase: process.env['PINHOLE_SECRET'],
      stored: () => store.nodes.list(),
    }),
    authenticator: config.authenticator,
    imported: store.imported,
    clock,
    log: log.child({ part: 'node' }),
  })
}

interface Parts {
  readonly hold: Hold
  readonly store: Store
  /** `undefined` when the caller brought some that can only be asked for invoices. */
  readonly nodes: Nodes | undefined
  readonly services: LiveServiceBook
}

class RunningSelling implements Selling {
  readonly paywall: PaywallOptions
  readonly #log: Log
  readonly #clock: Clock
  readonly #hold: Hold
  readonly #store: Store
  readonly #nodes: Nodes | undefined
  readonly #invoices: Invoices
  readonly #allowance: Allowance
  readonly #services: LiveServiceBook
  readonly #rateLimits = new RateLimiter()
  #config: Config
  #snapshot: Snapshot
  #stopHousekeeping: () => void

  constructor(config: Config, deps: SellingDeps, { hold, store, nodes, services }: Parts) {
    const { clock, log, registry } = deps
    this.#config = config
    this.#log = log
    this.#clock = clock
    this.#hold = hold
    this.#store = store
    this.#nodes = nodes
    this.#services = services
    this.#snapshot = snapshotOf(config, services, log)
    this.#allowance = new Allowance(allowanceOf(config))
    this.#invoices = openInvoices({
      nodes: nodes ?? deps.nodes ?? NO_NODES,
      pool: store.invoices,
      settle: settleStore(store),
      options: config.invoices,
      clock,
      log: log.child({ part: 'invoices' }),
      registry,
    })
    nodes?.onChange(({ what }) => {
      if (what !== 'state') this.#invoices.refresh()
    })
    services.onChange(() => {
      this.#snapshot = { ...this.#snapshot, services: services.compiled }
    })
    registerRateLimits(this.#rateLimits, registry)
    this.paywall = {
      snapshot: () => this.#snapshot,
      unmatched: config.servestatic
        ? staticFiles(config.staticroot, log.child({ part: 'static' }))
        : undefined,
      invoices: this.#invoices,
      tokens: store.tokens,
      allowance: this.#allowance,
      freebies: new Freebies(),
      rateLimits: this.#rateLimits,
      rememberedTokens: config.rememberedtokens,
      clock,
      log: log.child({ part: 'paywall' }),
      registry,
      writeTimeoutMs: config.writetimeout,
    }
    this.#stopHousekeeping = clock.after(HOUSEKEEPING_MS, () => void this.#keepHouse())
  }

  get nodes(): readonly InvoiceHealth[] {
    return this.#invoices.state
  }

  get parts(): SellingParts {
    return {
      store: this.#store,
      nodes: this.#nodes,
      invoices: this.#invoices,
      services: this.#services,
      allowance: this.#allowance,
    }
  }

  reload(config: Config): void {
    this.#services.reload({ configured: config.services, compile: compiler(config, this.#log) })
    this.#snapshot = snapshotOf(config, this.#services, this.#log)
    this.#allowance.limits = allowanceOf(config)
    this.#config = config
    this.#nodes?.refresh().catch((error: unknown) => {
      this.#log.error({ error }, 'the paired nodes could not be read again')
    })
  }

  async close(): Promise<void> {
    this.#stopHousekeeping()
    await this.#invoices.close()
    await this.#nodes?.close()
    await this.#store.close()
    this.#hold.release()
  }

  async #keepHouse(): Promise<void> {
    const { expiry, keepunpaid } = this.#config.invoices
    this.#rateLimits.prune(this.#clock.now())
    try {
      // What a node has not told yet may be paid all the same.
      if (this.#invoices.state.every(({ subscribed }) => subscribed)) {
        await this.#store.transactions.pruneUnpaid(this.#clock.wall() - expiry - keepunpaid)
      }
    } catch (error) {
      this.#log.warn({ error }, 'offers that nobody paid could not be removed')
    }
    this.#stopHousekeeping = this.#clock.after(HOUSEKEEPING_MS, () => void this.#keepHouse())
  }
}

/** How far nodes were heard, and what they told, are kept in two places. */
const settleStore = ({ settleIndexes, transactions }: Store): InvoiceParts['settle'] => ({
  load: (node) => settleIndexes.load(node),
  save: (node, indexes) => settleIndexes.save(node, indexes),
  settle: (paymentHash, atMs) => transactions.settle(paymentHash, atMs),
  isSettled: (paymentHash) => transactions.isSettled(paymentHash),
})

const NO_NODES: NodeSource = { get: () => undefined, all: () => [] }

/** Turns services into what requests are served by. */
const compiler = (config: Config, log: Log) => (services: readonly ServiceSettings[]) => {
  for (const { name, dynamicprice, auth } of services) {
    if (!dynamicprice.enabled || auth.level === 'off') continue
    const text = 'this version asks no price service: unpaid requests to the service get 500'
    log.warn({ service: name }, text)
  }
  return compileServices(services, compileDeps(config))
}

const openBook = (config: Config, store: Store, { clock, log }: SellingDeps) =>
  new LiveServiceBook({
    rows: store.services,
    imported: store.imported.services(),
    configured: config.services,
    compile: compiler(config, log),
    clock,
    log: log.child({ part: 'services' }),
  })

const snapshotOf = (config: Config, services: LiveServiceBook, log: Log): Snapshot => ({
  services: services.compiled,
  trusted: parseTrusted(config.trustproxy),
  blocked: parseBlocklist(config.blocklist.filter((text) => isNetwork(text, log))),
  strictVerify: config.strictverify,
  strict401: config.strict401,
  challengeLayout: config.challengelayout,
})

/** Aperture tells of an entry that it cannot read and goes on; so it is here. */
function isNetwork(text: string, log: Log): boolean {
  try {
    parseBlocklist([text])
    return true
  } catch (error) {
    log.error(
      { reason: asPinholeError(error, 'ERR_CONFIG_VALUE').message },
      'nobody is blocked by it',
    )
    return false
  }
}

function allowanceOf({ invoices: { allowance } }: Config): AllowanceLimits {
  const { per, peraddress, perservice, total } = allowance
  return { perMs: per, perAddress: peraddress, perService: perservice, total }
}
