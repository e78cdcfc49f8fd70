/**
 * The services of a hub: those of the configuration's file, those that an Aperture kept, and those that were made,
 * changed or removed while the hub ran, which win by name. All of them are compiled and put in place in one step.
 */
import type { Service } from '../../proxy/service.ts'
import { serviceFields } from '../admin/contract/service.ts'
import type { Clock } from '../base/clock.ts'
import { PinholeError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { ImportedService } from '../store/imported.ts'
import type { ServicePrice, ServiceRow, ServiceRows } from '../store/service-rows.ts'
import { withImported } from './imported-services.ts'
import { fieldsOf, type ServiceSettings, settingsOf } from './service-fields.ts'

/** One service, and where it comes from. */
export interface ServiceEntry {
  readonly settings: ServiceSettings
  readonly source: 'config' | 'database' | 'import'
  /** When it was last changed while a hub ran, in milliseconds since 1970. */
  readonly updatedAtMs: number | undefined
}

/** What a change is to do. */
export interface ChangeOptions {
  /** `create` refuses a name that is taken, `update` one that is not. */
  readonly mode: 'create' | 'update'
  /** Checks everything and changes nothing. */
  readonly dryRun?: boolean | undefined
}

/** The services of a running hub. */
export interface ServiceBook {
  /** In the order in which they are tried: the file's, imported ones, then those made since. */
  list(): readonly ServiceEntry[]
  get(name: string): ServiceEntry | undefined
  /**
   * Sets the service that `change` makes of the one of that name; requests from then on are served by it, those
   * under way keep what they began with. Changes take their turn, so none overwrites another.
   * @throws ERR_ADMIN_EXISTS, ERR_ADMIN_NOT_FOUND, ERR_ADMIN_REQUEST when it does not compile, ERR_STORE_OPEN; then nothing has changed
   */
  put(
    name: string,
    change: (before: ServiceSettings | undefined) => ServiceSettings,
    options: ChangeOptions,
  ): Promise<ServiceEntry>
  /** Removes it, for good: one of the file does not come back at the next start. @throws ERR_ADMIN_NOT_FOUND, ERR_STORE_OPEN */
  remove(name: string, options?: Pick<ChangeOptions, 'dryRun'>): Promise<void>
  /** Prices that a service had, newest first. */
  prices(name: string): readonly ServicePrice[]
  /** Calls `listener` after each change; the returned function ends that. */
  onChange(listener: () => void): () => void
}

/** What a book is made of. */
export interface ServiceBookParts {
  readonly rows: ServiceRows
  readonly imported: readonly ImportedService[]
  readonly configured: readonly ServiceSettings[]
  /** @throws ERR_CONFIG_VALUE */
  readonly compile: (services: readonly ServiceSettings[]) => readonly Service[]
  readonly clock: Clock
  readonly log: Log
}

interface Kept {
  readonly row: ServiceRow
  /** `undefined` for one of the file that was removed. */
  readonly settings: ServiceSettings | undefined
}

interface Edition {
  readonly entries: readonly ServiceEntry[]
  readonly compiled: readonly Service[]
}

/** The book that a hub sells by. */
export class LiveServiceBook implements ServiceBook {
  readonly #parts: ServiceBookParts
  readonly #listeners = new Set<() => void>()
  #configured: readonly ServiceSettings[]
  #compile: ServiceBookParts['compile']
  #kept: readonly Kept[]
  #edition: Edition
  #turn: Promise<unknown> = Promise.resolve()

  /** @throws ERR_CONFIG_VALUE */
  constructor(parts: ServiceBookParts) {
    this.#parts = parts
    this.#configured = parts.configured
    this.#compile = parts.compile
    this.#kept = parts.rows.list().flatMap((row) => readRow(row, parts.log))
    this.#edition = this.#edit(this.#kept)
    this.#noteConfigured()
  }

  /** What requests are served by. */
  get compiled(): readonly Service[] {
    return this.#edition.compiled
  }

  list(): readonly ServiceEntry[] {
    return this.#edition.entries
  }

  get(name: string): ServiceEntry | undefined {
    return this.list().find(({ settings }) => settings.name === name)
  }

  prices(name: string): readonly ServicePrice[] {
    return this.#parts.rows.prices(name)
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Takes over the services of a configuration that was read again. Throws `ERR_CONFIG_VALUE`, and then nothing has changed. */
  reload({ configured, compile }: Pick<ServiceBookParts, 'configured' | 'compile'>): void {
    const before = { configured: this.#configured, compile: this.#compile }
    this.#configured = configured
    this.#compile = compile
    try {
      this.#edition = this.#edit(this.#kept)
    } catch (reason) {
      this.#configured = before.configured
      this.#compile = before.compile
      throw reason
    }
    this.#noteConfigured()
    this.#tell()
  }

  put(
    name: string,
    change: (before: ServiceSettings | undefined) => ServiceSettings,
    { mode, dryRun = false }: ChangeOptions,
  ): Promise<ServiceEntry> {
    return this.#inTurn(async () => {
      const before = this.get(name)
      if (mode === 'create' && before) throw exists()
      if (mode === 'update' && !before) throw notFound()
      const settings = change(before?.settings)
      const nowMs = this.#parts.clock.wall()
      const kept = this.#kept.find(({ row }) => row.name === name)
      const createdAtMs = before && kept ? kept.row.createdAtMs : nowMs
      const row = { name, settings: write(settings), createdAtMs, updatedAtMs: nowMs }
      const edited = this.#with({ row, settings })
      const tried = this.#try(edited)
      const entry = tried.entries.find((one) => one.settings === settings)
      if (!entry) throw new TypeError('an edition has what was put into it')
      if (dryRun) return entry
      const { price } = settings
      const priced = { service: name, priceSat: price, sinceMs: nowMs, by: 'admin' } as const
      const changed = before?.settings.price === price ? [] : [priced]
      await this.#parts.rows.put(row, changed)
      this.#publish(edited)
      return entry
    })
  }

  remove(name: string, { dryRun = false }: Pick<ChangeOptions, 'dryRun'> = {}): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.get(name)) throw notFound()
      const nowMs = this.#parts.clock.wall()
      const row = { name, settings: undefined, createdAtMs: nowMs, updatedAtMs: nowMs }
      const others = this.#kept.filter((kept) => kept.row.name !== name)
      const elsewhere = this.#outside().some(({ settings }) => settings.name === name)
      const edited = elsewhere ? [...others, { row, settings: undefined }] : others
      this.#try(edited)
      if (dryRun) return
      await (elsewhere ? this.#parts.rows.put(row, []) : this.#parts.rows.drop(name))
      this.#publish(edited)
    })
  }

  /** A change waits for the one before, whatever becomes of that. */
  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(change)
    this.#turn = result.catch(() => {})
    return result
  }

  #with(changed: Kept): readonly Kept[] {
    const at = this.#kept.findIndex(({ row }) => row.name === changed.row.name)
    const before = this.#kept[at]
    // One that was removed and is made again is a new one, and comes last.
    const stays = before?.row.createdAtMs === changed.row.createdAtMs
    if (stays) return this.#kept.with(at, changed)
    return [...this.#kept.filter((kept) => kept !== before), changed]
  }

  #try(kept: readonly Kept[]): Edition {
    try {
      return this.#edit(kept)
    } catch (reason) {
      if (!(reason instanceof PinholeError)) throw reason
      throw new PinholeError('ERR_ADMIN_REQUEST', reason.message, { cause: reason })
    }
  }

  /** Compiled once more: the file may have been read again while the database wrote. */
  #publish(kept: readonly Kept[]): void {
    this.#kept = kept
    this.#edition = this.#edit(kept)
    this.#tell()
  }

  #tell(): void {
    for (const listener of this.#listeners) listener()
  }

  #outside(): readonly ServiceEntry[] {
    const { imported, log } = this.#parts
    const brought = new Set(imported.map(({ name }) => name))
    return withImported(this.#configured, imported, log).map((settings) => {
      const source = brought.has(settings.name) ? 'import' : 'config'
      return { settings, source, updatedAtMs: undefined }
    })
  }

  #edit(kept: readonly Kept[]): Edition {
    const byName = new Map(kept.map((one) => [one.row.name, one]))
    const outside = this.#outside().flatMap((entry) => {
      const own = byName.get(entry.settings.name)
      byName.delete(entry.settings.name)
      return own ? ofDatabase(own) : [entry]
    })
    const entries = [...outside, ...[...byName.values()].flatMap(ofDatabase)]
    return { entries, compiled: this.#compile(entries.map(({ settings }) => settings)) }
  }

  #noteConfigured(): void {
    const { rows, clock } = this.#parts
    const sinceMs = clock.wall()
    const changed = this.list().flatMap(({ settings, source }): ServicePrice[] => {
      const { name, price } = settings
      const [last] = source === 'database' || name === '' ? [] : rows.prices(name)
      if (source === 'database' || name === '' || last?.priceSat === price) return []
      return [{ service: name, priceSat: price, sinceMs, by: source }]
    })
    rows.notePrices(changed)
  }
}

const ofDatabase = ({ row, settings }: Kept): ServiceEntry[] =>
  settings ? [{ settings, source: 'database', updatedAtMs: row.updatedAtMs }] : []

const write = (settings: ServiceSettings): string => JSON.stringify(fieldsOf(settings))

/** A row that cannot be read is left out and told of: the other services go on. */
function readRow(row: ServiceRow, log: Log): Kept[] {
  if (row.settings === undefined) return [{ row, settings: undefined }]
  try {
    const fields = serviceFields.parse(JSON.parse(row.settings))
    return [{ row, settings: settingsOf(row.name, fields) }]
  } catch (error) {
    log.error({ error, service: row.name }, 'a service of the database cannot be read')
    return []
  }
}

const exists = () => new PinholeError('ERR_ADMIN_EXISTS', 'service already exists')
const notFound = () => new PinholeError('ERR_ADMIN_NOT_FOUND', 'service not found')
