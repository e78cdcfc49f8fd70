/** The whole, composed: port ► relay, health; metrics beside it. Nothing here knows how a part works. */
import { mkdirSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import fastify, { type FastifyInstance } from 'fastify'
import { mailboxRelay, type RelayOptions } from '../mailbox/relay/plugin.ts'
import { type Clock, systemClock } from './base/clock.ts'
import { PinholeError } from './base/errors.ts'
import { type Log, silentLog } from './base/log.ts'
import { type Certificate, openCertificate } from './certificate.ts'
import { formatAddress, parseAddress } from './config/address.ts'
import type { Config } from './config/load.ts'
import { pendingSections } from './config/pending.ts'
import { health } from './health.ts'
import { createListener, type Listener } from './listener.ts'
import { limitBodies } from './listener/body-deadline.ts'
import { createMetrics, type Metrics } from './metrics.ts'

/** A running or about to run hub. */
export interface Hub {
  /** Binds the ports. Throws `ERR_LISTEN_ADDRESS` or `ERR_LISTEN_CERTIFICATE`. Resolves with `address`. */
  listen(): Promise<string>
  /** Drains and ends; idempotent. */
  close(): Promise<void>
  /** URL of the port, `undefined` before `listen`. */
  readonly address: string | undefined
}

/** What a hub may be given instead of the machine's own. */
export interface HubDeps {
  readonly clock?: Clock
  readonly log?: Log
}

/** Makes a hub of `config`; nothing is bound before `listen`. */
export function createHub(config: Config, deps: HubDeps = {}): Hub {
  return new RunningHub(config, deps.clock ?? systemClock, deps.log ?? silentLog)
}

class RunningHub implements Hub {
  readonly #config: Config
  readonly #clock: Clock
  readonly #log: Log
  readonly #startedMs: number
  #parts:
    { app: FastifyInstance; listener: Listener; certificate: Certificate | undefined } | undefined
  readonly #metrics: Metrics = createMetrics()
  #address: string | undefined
  #starting: Promise<string> | undefined
  #closing: Promise<void> | undefined

  constructor(config: Config, clock: Clock, log: Log) {
    this.#config = config
    this.#clock = clock
    this.#log = log
    this.#startedMs = clock.now()
  }

  get address(): string | undefined {
    return this.#address
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
    const listener = createListener(listenerOptions(config, certificate), {
      clock: this.#clock,
      log: this.#log.child({ part: 'listener' }),
    })
    certificate?.onReplaced((pair) => listener.replaceCertificate(pair))
    const app = fastify({
      serverFactory: listener.serverFactory,
      return503OnClosing: false,
      routerOptions: { ignoreTrailingSlash: false },
      bodyLimit: MAX_ORDINARY_BODY_BYTES,
    })
    this.#parts = { app, listener, certificate }
    await this.#compose(app)
    // Added last, it runs first: requests end before what serves them is taken away.
    app.addHook('onClose', () => listener.drain())
    await app.ready()
    if (config.prometheus.enabled) await this.#metrics.listen(config.prometheus.listenaddr)
    const { host, port } = parseAddress(config.listenaddr) ?? { host: undefined, port: 0 }
    const bound = await listener.listen(host, port)
    this.#address = urlOf(config.insecure, host, bound)
    return this.#address
  }

  async #compose(app: FastifyInstance): Promise<void> {
    if (this.#config.hashmail.enabled) {
      const log = this.#log.child({ part: 'relay' })
      const { registry } = this.#metrics
      const limits = relayOptions(this.#config)
      await app.register(mailboxRelay, { ...limits, clock: this.#clock, log, registry })
    } else {
      this.#log.warn({}, 'hashmail.enabled is false: this hub serves its health and nothing else')
    }
    await app.register(async (ordinary) => {
      limitBodies(ordinary, this.#config.readtimeout, this.#clock)
      await ordinary.register(health, {
        uptimeMs: () => this.#clock.now() - this.#startedMs,
        draining: () => this.#closing !== undefined,
        boxes: () => this.#metrics.read(BOXES_GAUGE),
      })
      ordinary.setNotFoundHandler((request, reply) => {
        void reply.code(404).send({ error: 'not found', path: request.url })
      })
    })
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
    await app?.close()
    await this.#metrics.close()
    this.#address = undefined
  }
}

/** Live cipher boxes, by the name that Aperture gave the figure. */
const BOXES_GAUGE = 'hashmail_mailbox_count'
/** Bodies of requests to the hub itself; nothing of ours is larger. */
const MAX_ORDINARY_BODY_BYTES = 1_048_576

function listenerOptions(config: Config, certificate: Certificate | undefined) {
  const { limits } = config
  return {
    tls: certificate?.pair,
    limits: {
      connections: limits.connections,
      connectionsPerAddress: limits.connectionsperaddress,
      blocked: new Set(config.blocklist),
      streamsPerConnection: limits.streamsperconnection,
      streamWindowBytes: limits.streamwindow,
      headerBytes: limits.headerbytes,
    },
    headerTimeoutMs: limits.headertimeout,
    idleTimeoutMs: config.idletimeout,
    drainTimeoutMs: config.draintimeout,
  }
}

function relayOptions({ hashmail, wspinginterval, wspongwait }: Config): RelayOptions {
  return {
    messageRateMs: hashmail.messagerate,
    messageBurst: hashmail.messageburstallowance,
    staleTimeoutMs: hashmail.staletimeout,
    wsPingIntervalMs: wspinginterval,
    wsPongWaitMs: wspongwait,
    maxBoxes: hashmail.maxboxes,
    maxBoxesPerAddress: hashmail.maxboxesperaddress,
    maxStreamsPerAddress: hashmail.maxstreamsperaddress,
    maxBufferedBytes: hashmail.maxbufferedbytes,
    maxBufferedBytesPerAddress: hashmail.maxbufferedbytesperaddress,
    maxMessageBytes: hashmail.maxmessagebytes,
    maxBoxMessages: hashmail.maxboxmessages,
    maxBoxBytes: hashmail.maxboxbytes,
    maxUnreadMessages: hashmail.maxunreadmessages,
    messageTimeoutMs: hashmail.messagetimeout,
  }
}

function urlOf(insecure: boolean, host: string | undefined, bound: AddressInfo): string {
  const anywhere = host === undefined || host === '0.0.0.0' || host === '::'
  return `${insecure ? 'http' : 'https'}://${formatAddress(anywhere ? 'localhost' : host, bound.port)}`
}
