/** Services: listed, made, changed and removed. */
import { PinholeError } from '../../base/errors.ts'
import type { ServiceEntry } from '../../selling/service-book.ts'
import {
  fieldsOf,
  type ServiceFields,
  settingsOf,
  standardFields,
} from '../../selling/service-fields.ts'
import { type CheckedRequestOf, HIDDEN, type Service } from '../contract.ts'
import type { AdminDeps } from '../deps.ts'
import type { Operations } from '../operations.ts'
import { checkFields, checkName, refuse } from './service-rules.ts'

type Names =
  'listServices' | 'getService' | 'createService' | 'updateService' | 'deleteService' | 'listPrices'

/** The operations on services. */
export function serviceOperations({ services: book }: AdminDeps): Pick<Operations, Names> {
  return {
    listServices: async () => ({ services: book.list().map(shown) }),
    async getService({ name }) {
      const entry = book.get(name)
      if (!entry) throw notFound()
      return shown(entry)
    },
    async createService({ name, dry_run: dryRun, ...given }) {
      checkName(name)
      const fields = { ...STANDARD, ...said(given) }
      const made = priced({ ...fields, host_regexp: fields.host_regexp || '.*' })
      checkFields(made)
      const kept = { ...made, headers: unhide(made.headers, {}) }
      return shown(await book.put(name, () => settingsOf(name, kept), { mode: 'create', dryRun }))
    },
    async updateService({ name, dry_run: dryRun, ...given }) {
      if (name === '') refuse('missing service name')
      const change = (before: ServiceFields): ServiceFields => {
        const after = priced({ ...before, ...said(withoutEmpty(given)) })
        checkFields(after)
        return { ...after, headers: unhide(after.headers, before.headers) }
      }
      const entry = await book.put(
        name,
        (before) => settingsOf(name, change(before ? fieldsOf(before) : STANDARD)),
        { mode: 'update', dryRun },
      )
      return shown(entry)
    },
    async deleteService({ name, dry_run: dryRun }) {
      if (name === '') refuse('missing service name')
      await book.remove(name, { dryRun })
      return { status: 'deleted' }
    },
    async listPrices({ name }) {
      const prices = book.prices(name)
      if (prices.length === 0 && !book.get(name)) throw notFound()
      return {
        prices: prices.map(({ priceSat, sinceMs, by }) => {
          return { price: String(priceSat), since: new Date(sinceMs).toISOString(), by }
        }),
      }
    },
  }
}

/** A service as it may be shown: without the values of its headers, which can be keys of the upstream. */
export function shown({ settings, source, updatedAtMs }: ServiceEntry): Service {
  const fields = fieldsOf(settings)
  const headers = Object.fromEntries(Object.keys(fields.headers).map((name) => [name, HIDDEN]))
  const updated_at = updatedAtMs === undefined ? '' : new Date(updatedAtMs).toISOString()
  return { name: settings.name, ...fields, headers, source, updated_at }
}

type Given = Omit<CheckedRequestOf<'updateService'>, 'name' | 'dry_run'>
type Defined<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> }

const STANDARD = standardFields()

const said = (given: Given): Defined<Given> =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))

/** A price of 0 is sold for 1 satoshi (Aperture), and is shown so. What is free has `auth` `off`. */
const priced = (fields: ServiceFields): ServiceFields =>
  BigInt(fields.price) === 0n && !fields.dynamic_price.enabled ? { ...fields, price: '1' } : fields

/** Aperture's clients send its fields empty for those that are to stay. */
function withoutEmpty(given: Given): Given {
  const { address, protocol, host_regexp, path_regexp, auth, ...others } = given
  const texts = { address, protocol, host_regexp, path_regexp, auth }
  const full = Object.entries(texts).filter(([, value]) => value !== '' && value !== undefined)
  return { ...others, ...Object.fromEntries(full) }
}

/** Values that were not shown, as they are; one of a header that is new cannot be hidden. */
function unhide(
  headers: Readonly<Record<string, string>>,
  before: Readonly<Record<string, string>>,
): Record<string, string> {
  const entries = Object.entries(headers).map(([name, value]) => {
    if (value !== HIDDEN) return [name, value] as const
    const known = before[name]
    return [name, known ?? refuse(`headers.${name}: has no value yet that could stay`)] as const
  })
  return Object.fromEntries(entries)
}

const notFound = () => new PinholeError('ERR_ADMIN_NOT_FOUND', 'service not found')
