/** `pinhole start --sandbox`: a hub that needs no configuration, no certificate and no money. */
import type { Log } from '../base/log.ts'
import type { Flags } from '../config/flags.ts'
import { type Config, loadConfig } from '../config/load.ts'
import { createHub, type Hub } from '../hub.ts'

/** Cleartext on the loopback address: nothing to trust and nothing to store. */
const SANDBOX = {
  listenaddr: 'localhost:8081',
  insecure: true,
  hashmail: { enabled: true },
} as const

/** The sandbox's configuration; `flags` change single keys. */
export const sandboxConfig = (flags: Flags): Config =>
  loadConfig({ configfile: false, values: SANDBOX, flags })

/** The sandbox's hub. */
export const createSandbox = (config: Config, log: Log): Hub => createHub(config, { log })
