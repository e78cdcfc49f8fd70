/** What of a configuration takes effect only when the hub is started again. */
import { isDeepStrictEqual } from 'node:util'
import type { Config } from './config/load.ts'

/** Keys whose values are read at the start only. */
const RESTART_KEYS = [
  ...['listenaddr', 'servername', 'autocert', 'insecure', 'basedir', 'dbbackend', 'sqlite'],
  ...['authenticator', 'hashmail', 'prometheus', 'limits', 'idletimeout', 'writetimeout'],
  ...['wspinginterval', 'wspongwait', 'rememberedtokens', 'invoices.memo', 'invoices.expiry'],
  ...['invoices.timeout', 'invoices.pool', 'logging.access', 'admin.enabled', 'admin.macaroonpath'],
  ...['admin.listenaddr', 'profile', 'servestatic', 'staticroot'],
]

/** Those of them whose values differ. */
export function restartKeys(before: Config, after: Config): string[] {
  const at = (config: Config, key: string) =>
    key.split('.').reduce<unknown>((value, name) => Reflect.get(Object(value), name), config)
  return RESTART_KEYS.filter((key) => !isDeepStrictEqual(at(before, key), at(after, key)))
}
