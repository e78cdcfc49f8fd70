/** What services are compiled with: environment, files, and where each key was written. */
import { readFileSync } from 'node:fs'
import type { CompileDeps, ServiceConfig } from '../../proxy/compile.ts'
import { type Config, writtenAt } from '../config/load.ts'
import type { Path } from '../config/tree.ts'

/** For the services of `config`, among which may be some that an Aperture kept in its database. */
export function compileDeps(config: Config): CompileDeps {
  return {
    env: process.env,
    readFile: (file) => readFileSync(file),
    where(service, key) {
      const index = indexOf(config, service)
      return index < 0 ? '' : writtenAt(config, ['services', index, ...pathOf(key)])
    },
  }
}

/** One that an Aperture has changed is no longer the one of the file, but has its name. */
function indexOf({ services }: Config, service: ServiceConfig): number {
  const index = services.findIndex((one) => one === service)
  return index < 0 ? services.findIndex(({ name }) => name === service.name) : index
}

/** `ratelimits[0].pathregexp` as the steps to it. */
function pathOf(key: string): Path {
  const steps = key.split(/[.[\]]+/).filter((step) => step !== '')
  return steps.map((step) => (/^\d+$/.test(step) ? Number(step) : step))
}
