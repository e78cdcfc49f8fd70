/** Services that an Aperture kept in its database, beside those of the configuration. */
import { service as serviceSchema } from '../config/service-schema.ts'
import type { Config } from '../config/load.ts'
import type { Log } from '../base/log.ts'
import type { ImportedService } from '../store/imported.ts'

type ServiceConfig = Config['services'][number]

/**
 * `configured` with what was changed through Aperture's admin API: an imported service of the same name
 * brings the fields that Aperture kept and leaves the others as they are configured (Aperture forgets
 * those); the rest of the imported ones follow, by name. One that is not valid here is left out and told of.
 */
export function withImported(
  configured: readonly ServiceConfig[],
  imported: readonly ImportedService[],
  log: Log,
): readonly ServiceConfig[] {
  const services = [...configured]
  for (const row of imported) {
    const at = services.findIndex(({ name }) => name === row.name)
    const read = serviceSchema.safeParse(fieldsOf(row))
    if (!read.success) {
      const reasons = read.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`)
      log.warn({ service: row.name, reasons }, 'an imported service is left out')
      continue
    }
    const known = services[at]
    if (known) services[at] = { ...known, ...picked(read.data) }
    else services.push(read.data)
  }
  return services
}

function fieldsOf(row: ImportedService) {
  return {
    name: row.name,
    address: row.address,
    protocol: row.protocol,
    hostregexp: row.hostRegexp,
    pathregexp: row.pathRegexp,
    price: Number(row.priceSat),
    auth: row.auth,
    authscheme: row.authScheme,
  }
}

function picked(service: ServiceConfig) {
  const { address, protocol, hostregexp, pathregexp, price, auth, authscheme } = service
  return { address, protocol, hostregexp, pathregexp, price, auth, authscheme }
}
