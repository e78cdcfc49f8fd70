/** The services that a hub would have by a configuration and by what its database keeps; nothing is written. */
import { compileServices } from '../../proxy/compile.ts'
import { systemClock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Config } from '../config/load.ts'
import type { KeptServices } from '../store/kept-services.ts'
import { compileDeps } from './compile-deps.ts'
import { LiveServiceBook, type ServiceEntry } from './service-book.ts'
import type { ServiceSettings } from './service-fields.ts'

/** How they are judged. */
export interface JudgeOptions {
  /** Is told of services of the database that cannot be read and are left out. */
  readonly log: Log
  /** What is compiled of each in place of all of it. */
  readonly only?: (service: ServiceSettings) => ServiceSettings
}

/** All services, those of the database too. @throws ERR_CONFIG_VALUE */
export function judgeServices(
  config: Config,
  { rows, imported }: KeptServices,
  { log, only = (service) => service }: JudgeOptions,
): readonly ServiceEntry[] {
  const unwritten = () => Promise.reject(new TypeError('a check writes nothing'))
  const book = new LiveServiceBook({
    rows: { list: () => rows, prices: () => [], notePrices() {}, put: unwritten, drop: unwritten },
    imported,
    configured: config.services,
    compile: (services) => compileServices(services.map(only), compileDeps(config)),
    clock: systemClock,
    log,
  })
  return book.list()
}
