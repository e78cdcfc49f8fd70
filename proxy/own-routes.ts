/** What all paths of a route begin with: it up to its first parameter. */
export const fixedPart = (route: string): string => route.split(/[:*(]/, 1)[0] ?? ''

/** Paths of the hub's own routes, by which upgrades are told apart: those pass no router. */
export class OwnRoutes {
  readonly #paths = new Set<string>()
  readonly #prefixes: string[] = []

  /** Takes note of a route, as Fastify's `onRoute` tells it; one for all paths is the paywall's. */
  readonly add = (route: string): void => {
    const prefix = fixedPart(route)
    if (prefix === route) this.#paths.add(route)
    else if (prefix !== '' && prefix !== '/') this.#prefixes.push(prefix)
  }

  /** Whether a path without its query is one of them. */
  readonly has = (path: string): boolean =>
    this.#paths.has(path) || this.#prefixes.some((prefix) => path.startsWith(prefix))
}
