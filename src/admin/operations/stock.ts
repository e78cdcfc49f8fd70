/** What the hub has and counts: its relay, invoices made ahead, allowances, lines of its log; and a copy of its database. */
import { X509Certificate } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type { Config } from '../../config/load.ts'
import type { KeptLine } from '../../log-lines.ts'
import { sessionCommand, SELLING } from '../../nodes/permissions.ts'
import type { LogLine } from '../contract.ts'
import type { AdminDeps } from '../deps.ts'
import type { Operations } from '../operations.ts'
import { RelayFigures } from '../relay-figures.ts'

type Names = 'getRelay' | 'listPool' | 'getAllowances' | 'listLogs' | 'backup'

/** The operations on what a hub has. */
export function stockOperations(deps: AdminDeps): Pick<Operations, Names> {
  const { invoices, allowance, clock, logLines, metrics } = deps
  const figures = new RelayFigures(metrics.registry, clock)
  let copying: Promise<{ file: string; bytes: number }> | undefined
  return {
    async getRelay() {
      const { enabled } = deps.config().hashmail
      if (!enabled) return { enabled, ...NO_RELAY, litd_command: '' }
      return { enabled, ...(await figures.read()), litd_command: litdCommand(deps) }
    },
    listPool: async () => ({
      prices: invoices.pooled.map(({ node, amountMsat, ready, target }) => {
        return { node, price_msat: String(amountMsat), ready, target }
      }),
    }),
    async getAllowances() {
      const { limits, total, services } = allowance.usedAt(clock.now())
      return {
        per_ms: limits.perMs,
        per_address: limits.perAddress,
        per_service: limits.perService,
        total: limits.total,
        used_total: total,
        services: services.map(({ name, used }) => ({ service_name: name, used })),
      }
    },
    async listLogs({ level, limit, after }) {
      const { cursor } = logLines
      if (after === '') return { lines: logLines.list(level, limit).map(shownLine), cursor }
      const part = logLines.after(after, level, limit)
      return { lines: part.lines.map(shownLine).reverse(), cursor: part.cursor }
    },
    backup() {
      // Two at once would be the same copy twice.
      copying ??= copy(deps).finally(() => (copying = undefined))
      return copying
    },
  }
}

const shownLine = ({ atMs, fields, ...line }: KeptLine): LogLine => ({
  ...line,
  at: new Date(atMs).toISOString(),
  fields: JSON.parse(fields) as Record<string, unknown>,
})

const NO_RELAY = {
  boxes: 0,
  streams: 0,
  messages_per_second: 0,
  bytes_per_second: 0,
  refusals: {},
}

/** A sandbox, whose database goes with it, leaves nothing in the folder of a hub. */
async function copy({ store, clock, config, nodes }: AdminDeps) {
  const { basedir, sqlite } = config()
  const lasting = nodes && !nodes.sandbox
  const folder = lasting ? basedir : path.dirname(sqlite.databasefilename)
  const time = new Date(clock.wall()).toISOString().replaceAll(/[:.]/g, '-')
  const file = path.join(folder, 'backups', `pinhole-${time}.db`)
  return { file, bytes: await store.backup(file) }
}

/** What to type beside litd for a session through this relay. */
function litdCommand({ config, address }: AdminDeps): string {
  const { servername, insecure } = config()
  const { hostname = 'localhost', port = '' } = urlOf(address())
  // A hub without TLS that has a name stands behind a proxy that has it.
  const number = port === '' || (insecure && servername !== '') ? '443' : port
  const mailbox = `${servername === '' ? hostname : servername}:${number}`
  return sessionCommand(SELLING, { mailbox, insecureTls: servername === '' || ownMade(config()) })
}

/** Whether the certificate of the port was made by itself, so that litd trusts it only when told to. */
function ownMade({ basedir, insecure }: Config): boolean {
  const file = path.join(basedir, 'tls.cert')
  if (insecure || !existsSync(file)) return false
  const certificate = new X509Certificate(readFileSync(file))
  return certificate.checkIssued(certificate)
}

const urlOf = (address: string | undefined): { hostname?: string; port?: string } =>
  address === undefined ? {} : new URL(address)
