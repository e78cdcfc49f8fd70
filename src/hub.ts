/** The whole, composed: port ► relay, health, paywall; metrics beside it. Nothing here knows how a part works. */
import { mkdirSync } from 'node:fs'
import fastify, { type FastifyInstance } from 'fastify'
import { REST_PATH } from '../mailbox/hashmail/names.ts'
import { mailboxRelay } from '../mailbox/relay/plugin.ts'
import { parseTrusted, type TrustedProxies } from '../proxy/client-address.ts'
import { FastPath } from '../proxy/fast-path/fast-path.ts'
import type { PaywallOptions } from '../proxy/options.ts'
import { OwnRoutes } from '../proxy/own-routes.ts'
import { paywall } from '../proxy/plugin.ts'
import { AccessLog } from './access-log.ts'
import { listenTo } from './admin/event-sources.ts'
import { HubEvents } from './admin/hub-events.ts'
import { type AdminPort, leaveNothingOfAdmin, openAdminPort } from './admin-port.ts'
import { adminApi, type AdminOptions } from './admin/plugin.ts'
import { UseCounts } from './admin/use-counts.ts'
import { APP_OPTIONS, notFound } from './app-options.ts'
import { type Clock, systemClock } from './base/clock.ts'
import { PinholeError } from './base/errors.ts'
import { type Log, silentLog } from './base/log.ts'
import { type Certificate, openCertificate } from './certificate.ts'
import { boundUrl, parseAddress } from './config/address.ts'
import { checkLoaded, type Config } from './config/load.ts'
import { pendingSections } from './config/pending.ts'
import { consolePages } from './console/plugin.ts'
import { health, type HealthOptions } from './health.ts'
import { refuseBlocked, refuseBlockedRequests } from './blocklist.ts'
import type { NodeSource } from './invoices/node.ts'
import { createListener, type Listener } from './listener.ts'
import { limitBodies } from './listener/body-deadline.ts'
import { streamLimits } from './listener/streams.ts'
import { LogLines } from './log-lines.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { registerHub } from './metrics/hub.ts'
import { openProfilePort, type ProfilePort } from './profile-port.ts'
import { relayOptions } from './relay-options.ts'
import { RequestIds } from './request-ids.ts'
import { restartKeys } from './restart-keys.ts'
import { openSelling, type Selling, sells } from './selling.ts'
import { requestTracing } from './tracing.ts'

/** A running or about to run hub. */
export interface Hub {
  /** Binds the ports. Throws `ERR_LISTEN_ADDRESS` or `ERR_LISTEN_CERTIFICATE`. Resolves with `address`. */
  listen(): Promise<string>
  /**
   * Serves by `config` from the next request on; those under way keep what they began with. What only a
   * restart can change (ports, certificate, relay, database) stays, and its keys are logged. Throws
   * `ERR_CONFIG_VALUE`, and then nothing has changed.
   */
  reload(config: Config): void
  /** Drains and ends; idempotent. */
  close(): Promise<void>
  /** URL of the port, `undefined` before `listen`. */
  readonly address: string | undefined
  /** URL of the admin API: its own port (`admin.listenaddr`), else `address`; `undefined` where there is none. */
  readonly adminAddress: string | undefined
}

/** What a hub may be given instead of the machine's own. */
export interface HubDeps {
  readonly clock?: Clock | undefined
  readonly log?: Log | undefined
  /** Nodes that invoices come from, in place of those that are configured and paired. */
  readonly nodes?: NodeSource | undefined
}

/** Makes a hub of `config`; nothing is bound before `listen`. */
export function createHub(config: Config, deps: HubDeps = {}): Hub {
  return new RunningHub(checkLoaded(config), deps)
}

interface Parts {
  readonly app: FastifyInstance
  readonly listener: Listener
  readonly certificate: Certificate | undefined
}

class RunningHub implements Hub {
  readonly #clock: Clock
  readonly #log: Log
  /** For what has a line for each request. */
  readonly #plainLog: Log
  readonly #logLines: LogLines
  readonly #nodes: NodeSource | undefined
  readonly #startedMs: number
  #config: Config
  #parts: Parts | undefined
  #selling: Selling | undefined
  readonly #metrics: Metrics = createMetrics()
  readonly #requestIds = new RequestIds(() => this.#trusted())
  readonly #events: HubEvents
  readonly #uses: UseCounts
  readonly #ownRoutes = new OwnRoutes()
  #address: string | undefined
  #adminPort: AdminPort | undefined
  #adminAddress: string | undefined
  #profilePort: ProfilePort | undefined
  #starting: Promise<string> | undefined
  #closing: Promise<void> | undefined

  constructor(config: Config, { clock = systemClock, log = silentLog, nodes }: HubDeps) {
    this.#config = config
    this.#clock = clock
    this.#plainLog = log
    this.#logLines = new LogLines(clock, /debug|trace/.test(config.debuglevel))
    this.#log = config.admin.enabled ? this.#logLines.beside(log) : log
    this.#nodes = nodes
    this.#startedMs = clock.now()
    this.#events = new HubEvents(clock)
    this.#uses = new UseCounts(clock)
  }

  get address(): string | undefined {
    return this.#address
  }

  get adminAddress(): string | undefined {
    if (!this.#config.admin.enabled) return undefined
    return this.#adminAddress ?? this.#address
  }

  async listen(): Promise<string> {
    if (this.#starting) throw new TypeError('this hub listens already')
    this.#starting = this.#listen()
    try {
      return await this.#starting
    } catch (error) {
      await this.close()
      throw error
    }
  }

  reload(config: Config): void {
    const fixed = restartKeys(this.#config, config)
    if (!this.#selling && sells(config)) fixed.push('services')
    this.#selling?.reload(config)
    this.#config = config
    this.#log.info({}, 'the configuration was read again')
    if (fixed.length === 0) return
    this.#log.warn({ keys: fixed }, `restart the hub for what has changed in ${fixed.join(', ')}`)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #listen(): Promise<string> {
    const config = this.#config
    this.#sayWhatIsPending()
    if (config.autocert) {
      const text = 'autocert is not available in this version'
      throw new PinholeError(
        'ERR_LISTEN_CERTIFICATE',
        `${text}: get tls.cert and tls.key by an ACME client of your own and put them into ${config.basedir}`,
      )
    }
    const certificate = config.insecure ? undefined : await this.#openCertificate()
    const { registry } = this.#metrics
    if (sells(config) || this.#nodes) {
      const deps = { clock: this.#clock, log: this.#log, registry, nodes: this.#nodes }
      this.#selling = await openSelling(config, deps)
    }
    const fastPath = this.#fastPath()
    const listener = createListener(listenerOptions(config, certificate, this.#selling), {
      clock: this.#clock,
      ...(fastPath ? { shortWay: fastPath } : {}),
      log: this.#log.child({ part: 'listener' }),
    })
    certificate?.onReplaced((pair) => listener.replaceCertificate(pair))
    const app = fastify({
      serverFactory: listener.serverFactory,
      ...APP_OPTIONS,
      genReqId: this.#requestIds.of,
    })
    this.#parts = { app, listener, certificate }
    app.addHook('onRoute', ({ url }) => {
      this.#ownRoutes.add(url)
      fastPath?.keepOff(url)
    })
    registerHub(
      {
        connections: () => listener.connections,
        nodes: () => this.#selling?.nodes,
        certificate: () => certificate?.pair.cert,
      },
      registry,
    )
    if (config.prometheus.enabled || config.admin.enabled) this.#metrics.countProcess()
    await this.#compose(app, fastPath)
    // Added last, it runs first: requests end before what serves them is taken away.
    app.addHook('onClose', () => listener.drain())
    await app.ready()
    if (config.prometheus.enabled) await this.#metrics.listen(config.prometheus.listenaddr)
    this.#adminAddress = await this.#adminPort?.listen()
    await this.#openProfilePort(config.profile)
    const { host, port } = parseAddress(config.listenaddr) ?? { host: undefined, port: 0 }
    const bound = await listener.listen(host, port)
    this.#address = boundUrl(config.insecure, host, bound.port)
    return this.#address
  }

  async #compose(app: FastifyInstance, fastPath: FastPath | undefined): Promise<void> {
    const selling = this.#selling
    if (!this.#config.hashmail.enabled && !selling) {
      this.#log.warn({}, 'neither services nor hashmail.enabled: this hub serves its health only')
    }
    const access = this.#config.logging.access ? this.#accessLog() : undefined
    if (access) app.addHook('onRequest', access.hook)
    await app.register(async (own) => {
      if (selling) refuseBlocked(own, selling.paywall.snapshot)
      if (this.#config.hashmail.enabled) {
        const log = this.#log.child({ part: 'relay' })
        const { registry } = this.#metrics
        const limits = relayOptions(this.#config, () => this.#trusted())
        await own.register(mailboxRelay, { ...limits, clock: this.#clock, log, registry })
      }
      await own.register(async (ordinary) => {
        limitBodies(ordinary, this.#config.readtimeout, this.#clock)
        await ordinary.register(health, this.#health())
        if (selling && this.#config.admin.enabled) {
          listenTo(selling.parts, this.#events)
          // Its streams would be waited for.
          ordinary.addHook('preClose', async () => this.#events.close())
          await this.#serveAdmin(ordinary, selling)
        }
        if (!selling) ordinary.setNotFoundHandler(notFound)
      })
    })
    const relayed = this.#config.hashmail.enabled
    const ownPaths = (path: string) => relayed && path.startsWith(REST_PATH)
    if (selling)
      await app.register(paywall, {
        ...selling.paywall,
        fastPath,
        ownPaths,
        isOwnRoute: this.#ownRoutes.has,
        aroundPage: (page) => {
          refuseBlockedRequests(page, selling.paywall.snapshot)
          limitBodies(page, this.#config.readtimeout, this.#clock)
        },
        onDecided: this.#decided(access),
        onFastPath: access?.onFastPath,
        requestId: this.#requestIds.of,
        tracing: requestTracing(),
      })
  }

  #fastPath(): FastPath | undefined {
    const { limits, idletimeout } = this.#config
    if (!this.#selling) return undefined
    return new FastPath({
      maxHeadBytes: limits.headerbytes,
      headerTimeoutMs: limits.headertimeout,
      idleTimeoutMs: idletimeout,
      clock: this.#clock,
    })
  }

  #health(): HealthOptions {
    return {
      uptimeMs: () => this.#clock.now() - this.#startedMs,
      draining: () => this.#closing !== undefined,
      boxes: () => this.#metrics.read(BOXES_GAUGE),
      nodes: () => this.#selling?.nodes,
      storeFails: () => this.#selling?.parts.store.failing,
    }
  }

  /** Beside what is sold, or at a port of its own. */
  async #serveAdmin(app: FastifyInstance, selling: Selling): Promise<void> {
    const config = this.#config
    const { certificate } = this.#parts ?? {}
    const serve = async (at: FastifyInstance): Promise<void> => {
      await at.register(adminApi, this.#adminOptions(selling))
      await at.register(consolePages, {})
    }
    if (config.admin.listenaddr === '') return serve(app)
    leaveNothingOfAdmin(app)
    this.#adminPort = await openAdminPort({
      listenaddr: config.admin.listenaddr,
      listener: listenerOptions(config, certificate, selling),
      certificate,
      genReqId: this.#requestIds.of,
      readTimeoutMs: config.readtimeout,
      snapshot: selling.paywall.snapshot,
      health: this.#health(),
      serve,
      clock: this.#clock,
      log: this.#log,
    })
  }

  /** What the paywall tells of each request. */
  #decided(access: AccessLog | undefined): PaywallOptions['onDecided'] {
    if (!this.#config.admin.enabled) return access?.decided
    const events = this.#events
    const uses = this.#uses
    return (req, address, service, outcome, id) => {
      if (outcome === 'paid') {
        uses.add(service)
        events.tell({ type: 'used', service_name: service })
      }
      access?.decided(req, address, service, outcome, id)
    }
  }

  #adminOptions(selling: Selling): AdminOptions {
    const log = this.#log.child({ part: 'admin' })
    return {
      deps: {
        ...selling.parts,
        config: () => this.#config,
        clock: this.#clock,
        log,
        metrics: this.#metrics,
        events: this.#events,
        uses: this.#uses,
        logLines: this.#logLines,
        address: () => this.#address,
        adminAddress: () => this.adminAddress,
        startedMs: this.#startedMs,
      },
      trusted: () => selling.paywall.snapshot().trusted,
    }
  }

  /** Proxies whose headers are believed. */
  #trusted(): TrustedProxies {
    return this.#selling?.paywall.snapshot().trusted ?? parseTrusted(this.#config.trustproxy)
  }

  #accessLog(): AccessLog {
    return new AccessLog(this.#plainLog.child({ part: 'proxy' }), this.#clock)
  }

  async #openProfilePort(port: number): Promise<void> {
    if (port === 0) return
    const log = this.#log.child({ part: 'profile' })
    this.#profilePort = await openProfilePort(port, { clock: this.#clock, log })
    log.info({ address: this.#profilePort.url }, 'profiles are served on this machine')
  }

  #openCertificate(): Promise<Certificate> {
    const { basedir, servername } = this.#config
    mkdirSync(basedir, { recursive: true, mode: 0o700 })
    const log = this.#log.child({ part: 'certificate' })
    return openCertificate({ basedir, servername }, { clock: this.#clock, log })
  }

  #sayWhatIsPending(): void {
    const sections = pendingSections(this.#config)
    if (sections.length === 0) return
    const text = `this version does not act on these sections of the configuration yet: ${sections.join(', ')}`
    this.#log.warn({ sections }, text)
  }

  async #close(): Promise<void> {
    // A start under way comes to its end first; else what it opens later would stay open.
    await this.#starting?.catch(() => {})
    const { app, certificate } = this.#parts ?? {}
    certificate?.close()
    await Promise.all([app?.close(), this.#adminPort?.close(), this.#profilePort?.close()])
    await this.#selling?.close()
    await this.#metrics.close()
    this.#address = this.#adminAddress = undefined
  }
}

/** Live cipher boxes, by the name that Aperture gave the figure. */
const BOXES_GAUGE = 'hashmail_mailbox_count'

function listenerOptions(
  config: Config,
  certificate: Certificate | undefined,
  selling: Selling | undefined,
) {
  const { limits } = config
  return {
    tls: certificate?.pair,
    limits: {
      connections: limits.connections,
      connectionsPerAddress: limits.connectionsperaddress,
      // Where something is sold, a blocked client gets an answer (blocklist.ts).
      blocked: new Set(selling ? [] : config.blocklist),
      ...streamLimits({
        configured: limits.streamsperconnection,
        sells: selling !== undefined,
        relays: config.hashmail.enabled,
      }),
      streamWindowBytes: limits.streamwindow,
      headerBytes: limits.headerbytes,
    },
    headerTimeoutMs: limits.headertimeout,
    idleTimeoutMs: config.idletimeout,
    writeTimeoutMs: config.writetimeout,
    drainTimeoutMs: config.draintimeout,
  }
}
