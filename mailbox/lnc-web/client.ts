/**
 * Class `LNC` with the public names of lnc-web, so that a page or program written for it runs on Pinhole's
 * own LNC, without WebAssembly. The API objects and their types are lnc-core's.
 *
 * Not as in lnc-web: errors are `PinholeError`s with a code; nothing is polled; a lost connection heals by
 * itself; keys are never logged. Passkeys and sessions of a browser are left out: pass a `credentialStore`.
 */
import lncCore from '@lightninglabs/lnc-core'
import type { Registry } from '@bufbuild/protobuf'
import { PinholeError, asPinholeError } from '../../src/base/errors.ts'
import type { Connect, ConnectOptions, PairedNode } from '../connect/connect.ts'
import type { SessionState } from '../connect/state.ts'
import { allows, macaroonOperations, readOnly } from '../rpc/permissions.ts'
import { MemoryCredentials, pairingStoreOf, type CredentialStore } from './credentials.ts'
import { JsonRpc } from './json-rpc.ts'

/** The relay that litd uses unless told otherwise. */
export const DEFAULT_SERVER_HOST = 'mailbox.terminal.lightning.today:443'

/** lnc-web's configuration, and what `connect` can be told besides. */
export interface LncConfig extends Pick<
  ConnectOptions,
  'transport' | 'insecureTls' | 'ca' | 'timeoutMs' | 'clock' | 'log'
> {
  /** The mailbox relay as host:port; default `DEFAULT_SERVER_HOST`. */
  readonly serverHost?: string | undefined
  readonly pairingPhrase?: string | undefined
  /** Own private key of an earlier pairing, in hex; needs `remoteKey`. */
  readonly localKey?: string | undefined
  /** The node's public key of an earlier pairing, in hex. */
  readonly remoteKey?: string | undefined
  /** Tells stores apart that keep several pairings; handed to `credentialStore` by whoever makes it. */
  readonly namespace?: string | undefined
  /** Handed to the credential store. The one in memory keeps nothing, so it needs none. */
  readonly password?: string | undefined
  /** Where the pairing is kept; default in memory. */
  readonly credentialStore?: CredentialStore | undefined
  /** Descriptors of services besides lnd's lightning, invoices and router (a part of each): see `JsonRpc`. */
  readonly registry?: Registry | undefined
}

type OnMessage = (message: never) => void
type OnError = (error: Error) => void

/** A client of one node. Made by `new LNC(config)` of an entry point, which knows how to connect. */
export class LncClient {
  readonly credentials: CredentialStore
  readonly lnd: InstanceType<typeof lncCore.LndApi>
  readonly loop: InstanceType<typeof lncCore.LoopApi>
  readonly pool: InstanceType<typeof lncCore.PoolApi>
  readonly faraday: InstanceType<typeof lncCore.FaradayApi>
  readonly tapd: InstanceType<typeof lncCore.TaprootAssetsApi>
  readonly lit: InstanceType<typeof lncCore.LitApi>
  readonly #connect: Connect
  readonly #config: LncConfig
  readonly #json: JsonRpc
  #node: PairedNode | undefined
  #connecting: Promise<void> | undefined
  #lastError: PinholeError | undefined
  #subscriptions = new AbortController()

  constructor(connect: Connect, config: LncConfig = {}) {
    this.#connect = connect
    this.#config = config
    this.#json = new JsonRpc(config.registry)
    this.credentials = config.credentialStore ?? new MemoryCredentials()
    const { credentials } = this
    if (config.password !== undefined) credentials.password = config.password
    if (!credentials.isPaired || credentials.serverHost === '') {
      credentials.serverHost = config.serverHost ?? DEFAULT_SERVER_HOST
    }
    if (config.pairingPhrase !== undefined) credentials.pairingPhrase = config.pairingPhrase
    if (config.localKey !== undefined) credentials.localKey = config.localKey
    if (config.remoteKey !== undefined) credentials.remoteKey = config.remoteKey
    this.lnd = new lncCore.LndApi(createRpc, this)
    this.loop = new lncCore.LoopApi(createRpc, this)
    this.pool = new lncCore.PoolApi(createRpc, this)
    this.faraday = new lncCore.FaradayApi(createRpc, this)
    this.tapd = new lncCore.TaprootAssetsApi(createRpc, this)
    this.lit = new lncCore.LitApi(createRpc, this)
  }

  /** Always true: there is no WebAssembly to wait for. */
  get isReady(): boolean {
    return true
  }

  /** Whether calls go through now. */
  get isConnected(): boolean {
    return this.#node?.state.name === 'ready'
  }

  /** Whether a node was paired with, or a phrase is there to do so. */
  get isPaired(): boolean {
    return this.credentials.isPaired
  }

  /** `Connected`, `Not Connected`, `Session Not Found` or `Session In Use`, as the Go client says it. */
  get status(): string {
    if (this.isConnected) return 'Connected'
    const error = reasonOf(this.#node?.state) ?? this.#lastError
    return (error && STATUS_BY_CODE.get(error.code)) ?? 'Not Connected'
  }

  /** When the session ends, or `undefined` while that is unknown. */
  get expiry(): Date | undefined {
    return this.#node?.expiresAt
  }

  /** Whether the session's macaroon can change nothing; `false` before `connect`. */
  get isReadOnly(): boolean {
    const operations = macaroonOperations(this.#node?.macaroon ?? '')
    return operations !== undefined && readOnly(operations)
  }

  /**
   * Whether the session's macaroon allows a method, such as `lnrpc.Lightning.AddInvoice`. Known are the
   * methods of the built-in services; others only when the macaroon names them.
   */
  hasPerms(permission: string): boolean {
    const operations = macaroonOperations(this.#node?.macaroon ?? '')
    const path = `/${permission.replace(/^\//, '').replace(/\.(\w+)$/, '/$1')}`
    return operations !== undefined && allows(operations, path)
  }

  /** Does nothing; lnc-web downloads its WebAssembly here. */
  preload(): Promise<void> {
    return Promise.resolve()
  }

  /** Does nothing; lnc-web starts its WebAssembly here. */
  run(): Promise<void> {
    return Promise.resolve()
  }

  /** Connects with the credentials. Resolves when calls go through. Errors as `connect` of this runtime. */
  connect(): Promise<void> {
    this.#connecting ??= this.#open().finally(() => (this.#connecting = undefined))
    return this.#connecting
  }

  /** Pairs by a phrase. */
  pair(pairingPhrase: string): Promise<void> {
    this.credentials.pairingPhrase = pairingPhrase
    return this.connect()
  }

  /** Ends the connection; the promise resolves when it is over. */
  disconnect(): Promise<void> {
    const node = this.#node
    this.#node = undefined
    this.#subscriptions.abort()
    this.#subscriptions = new AbortController()
    return node?.close() ?? Promise.resolve()
  }

  /** A unary call by name, `lnrpc.Lightning.GetInfo`, with a plain object. Errors as `JsonRpc.request`. */
  async request<Answer = unknown>(rpcName: string, request?: object): Promise<Answer> {
    // The caller names the answer's type, as with lnc-web; its shape is the method's descriptor's.
    return (await this.#json.request(this.#connected(rpcName).rpc, rpcName, request)) as Answer
  }

  /**
   * A streaming call by name. `onError` gets what ends it, `new Error('EOF')` when the node ends it in order,
   * as in lnc-web; nothing after the returned function or `disconnect` was called.
   */
  subscribe(
    rpcName: string,
    request?: object,
    onMessage?: OnMessage,
    onError?: OnError,
  ): () => void {
    const own = new AbortController()
    const signal = AbortSignal.any([own.signal, this.#subscriptions.signal])
    void this.#follow(rpcName, request, signal, onMessage, onError)
    return () => own.abort()
  }

  async #follow(
    rpcName: string,
    request: object | undefined,
    signal: AbortSignal,
    onMessage: OnMessage = () => {},
    onError: OnError = () => {},
  ): Promise<void> {
    try {
      const { rpc } = this.#connected(rpcName)
      for await (const message of this.#json.subscribe(rpc, rpcName, request, { signal })) {
        if (!signal.aborted) onMessage(message as never)
      }
      if (!signal.aborted) onError(new Error('EOF'))
    } catch (reason) {
      if (!signal.aborted) onError(reason instanceof Error ? reason : new Error(String(reason)))
    }
  }

  async #open(): Promise<void> {
    if (this.#node && this.#node.state.name !== 'closed') return
    const { transport, insecureTls, ca, timeoutMs, clock, log } = this.#config
    const { serverHost, pairingPhrase, localKey, remoteKey } = this.credentials
    if (remoteKey !== '' && localKey === '') {
      throw new PinholeError('ERR_SESSION_KEYS', 'a remote key without a local key is of no use')
    }
    try {
      this.#node = await this.#connect({
        mailbox: serverHost,
        ...(localKey === '' && pairingPhrase !== '' ? { phrase: pairingPhrase } : {}),
        store: pairingStoreOf(this.credentials),
        ...{ transport, insecureTls, ca, timeoutMs, clock, log },
      })
      this.#lastError = undefined
    } catch (reason) {
      this.#lastError = asPinholeError(reason, 'ERR_SESSION_CLOSED')
      throw reason
    }
    // As lnc-web does: what a store protects by a password need not stay in memory as well.
    if (this.#config.credentialStore && this.credentials.password) this.credentials.clear(true)
  }

  #connected(rpcName: string): PairedNode {
    if (this.#node) return this.#node
    throw new PinholeError('ERR_SESSION_CLOSED', `${rpcName}: call connect first`)
  }
}

const STATUS_BY_CODE: ReadonlyMap<string, string> = new Map([
  ['ERR_SESSION_NOT_FOUND', 'Session Not Found'],
  ['ERR_SESSION_IN_USE', 'Session In Use'],
])

function reasonOf(state: SessionState | undefined): PinholeError | undefined {
  return state && 'reason' in state ? state.reason : undefined
}

/** What lnc-core makes its services with: `lightning.getInfo(request)` becomes `lnrpc.Lightning.GetInfo`. */
function createRpc(service: string, client: LncClient): object {
  return new Proxy(
    {},
    {
      get(_, key) {
        // A service is no promise, even when somebody awaits it, and no call is made when it is printed.
        if (typeof key === 'symbol' || key === 'then' || key === 'toJSON') return undefined
        const name = `${service}.${key.charAt(0).toUpperCase()}${key.slice(1)}`
        return lncCore.subscriptionMethods.includes(name)
          ? (request?: object, onMessage?: OnMessage, onError?: OnError) =>
              client.subscribe(name, request, onMessage, onError)
          : (request?: object) => client.request(name, request)
      },
    },
  )
}
