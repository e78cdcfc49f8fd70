/** Which service a request is for, and which of its rules apply. */
import type { Pattern, Service } from './service.ts'
import type { Target } from './target.ts'

export { readTarget, type Target } from './target.ts'

const anyOf = (patterns: readonly Pattern[], path: string) =>
  patterns.some((pattern) => pattern.test(path))

function find(services: readonly Service[], host: string, path: string): Service | undefined {
  for (const service of services) {
    if (service.host && !service.host.test(host)) continue
    if (!service.path || service.path.test(path)) return service
  }
  return undefined
}

/** The first service whose patterns match; the caller has refused what `isAmbiguous`. */
export const match = (services: readonly Service[], target: Target): Service | undefined =>
  find(services, target.host, target.path)

/** Whether the request needs no payment. */
export const isOpenPath = (service: Service, target: Target): boolean =>
  anyOf(service.openPaths, target.path)

/** Whether the request draws 401 in place of an invoice. */
export const isQuietPath = (service: Service, target: Target): boolean =>
  anyOf(service.quietPaths, target.path)

function decidesAlike(service: Service, a: string, b: string): boolean {
  if (anyOf(service.openPaths, a) !== anyOf(service.openPaths, b)) return false
  if (anyOf(service.quietPaths, a) !== anyOf(service.quietPaths, b)) return false
  return service.rateLimits.every(({ path }) => !path || path.test(a) === path.test(b))
}

/**
 * Whether it depends on how one reads the path (encoded slashes, empty segments, parameters) which service
 * or which of its rules a request draws: 400, `ERR_REQUEST_PATH`. Costs nothing for an ordinary path.
 */
export function isAmbiguous(services: readonly Service[], target: Target): boolean {
  const { host, path, readings } = target
  if (readings.length === 0) return false
  const service = find(services, host, path)
  return !readings.every((reading) => {
    return (
      find(services, host, reading) === service &&
      (!service || decidesAlike(service, path, reading))
    )
  })
}
