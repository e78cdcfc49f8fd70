/** What this hub is. */
import { VERSION } from '../../version.ts'
import type { AdminDeps } from '../deps.ts'
import type { Operations } from '../operations.ts'

/** `getInfo`, `getHealth`. */
export const infoOperations = (deps: AdminDeps): Pick<Operations, 'getInfo' | 'getHealth'> => ({
  async getInfo() {
    const { authenticator, listenaddr, insecure, hashmail } = deps.config()
    return {
      network: authenticator.network,
      listen_addr: listenaddr,
      insecure,
      mpp_enabled: authenticator.enablempp,
      sessions_enabled: authenticator.enablesessions,
      mpp_realm: authenticator.mpprealm,
      version: VERSION,
      uptime_seconds: Math.floor((deps.clock.now() - deps.startedMs) / 1_000),
      sandbox: deps.nodes?.sandbox ?? true,
      relay_enabled: hashmail.enabled,
    }
  },
  getHealth: async () => ({ status: 'ok' }),
})
