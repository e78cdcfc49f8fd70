/** Every command: its name, its summary and where it is. A command's modules are loaded when it is called. */
import type { Command } from 'commander'
import type { CommandContext } from './command.ts'

/** Makes a command. */
export type Make = (context: CommandContext) => Command

/** A command that has not been loaded. */
export interface Entry {
  readonly summary: string
  readonly load: () => Promise<Make>
}

/** In the order of the help. */
export const COMMANDS: Readonly<Record<string, Entry>> = {
  init: {
    summary: 'write a first configuration',
    load: async () => (await import('./init.ts')).initCommand,
  },
  start: {
    summary: 'run the hub',
    load: async () => (await import('./start.ts')).startCommand,
  },
  pair: {
    summary: 'pair a node by its phrase',
    load: async () => (await import('./pair.ts')).pairCommand,
  },
  node: {
    summary: 'the paired nodes',
    load: async () => (await import('./node.ts')).nodeCommand,
  },
  agent: {
    summary: 'make an lnd reachable that has no litd',
    load: async () => (await import('./agent.ts')).agentCommand,
  },
  import: {
    summary: 'bring over the database of an Aperture',
    load: async () => (await import('./import.ts')).importCommand,
  },
  fetch: {
    summary: 'ask a server for something, and pay for it',
    load: async () => (await import('./fetch.ts')).fetchCommand,
  },
  info: {
    summary: 'what a running hub is and where it listens',
    load: async () => (await import('./info.ts')).infoCommand,
  },
  health: {
    summary: 'whether a running hub answers',
    load: async () => (await import('./info.ts')).healthCommand,
  },
  doctor: {
    summary: 'says what is wrong with a hub and what to do about it',
    load: async () => (await import('./doctor.ts')).doctorCommand,
  },
  service: {
    summary: 'what a running hub sells',
    load: async () => (await import('./service.ts')).serviceCommand,
  },
  try: {
    summary: 'ask a service as a client would: its 402, or the paid answer',
    load: async () => (await import('./try.ts')).tryCommand,
  },
  transaction: {
    summary: 'what was offered and paid',
    load: async () => (await import('./transaction.ts')).transactionCommand,
  },
  token: {
    summary: 'what was sold',
    load: async () => (await import('./token.ts')).tokenCommand,
  },
  stats: {
    summary: 'income in all, by service and over time',
    load: async () => (await import('./stats.ts')).statsCommand,
  },
  pool: {
    summary: 'invoices made ahead, by node and price',
    load: async () => (await import('./pool.ts')).poolCommand,
  },
  allowances: {
    summary: 'how many unpaid invoices may be made, and how many were',
    load: async () => (await import('./allowances.ts')).allowancesCommand,
  },
  relay: {
    summary: 'boxes, throughput and refusals of the relay',
    load: async () => (await import('./relay.ts')).relayCommand,
  },
  metrics: {
    summary: 'every figure that is counted, in the text format of Prometheus',
    load: async () => (await import('./metrics.ts')).metricsCommand,
  },
  logs: {
    summary: 'the newest lines of the log of a running hub',
    load: async () => (await import('./logs.ts')).logsCommand,
  },
  events: {
    summary: 'what happens at a running hub, as it happens',
    load: async () => (await import('./events.ts')).eventsCommand,
  },
  config: {
    summary: 'the configuration',
    load: async () => (await import('./config.ts')).configCommand,
  },
  backup: {
    summary: 'copy the database of a running hub',
    load: async () => (await import('./backup.ts')).backupCommand,
  },
  admin: {
    summary: 'macaroons for others, and the way into the console',
    load: async () => (await import('./admin.ts')).adminCommand,
  },
  mcp: {
    summary: 'lets an agent operate a running hub, over stdin and stdout',
    load: async () => (await import('./mcp.ts')).mcpCommand,
  },
  schema: {
    summary: 'the JSON Schema of the configuration',
    load: async () => (await import('./schema.ts')).schemaCommand,
  },
  completion: {
    summary: 'the script by which a shell completes commands and flags',
    load: async () => (await import('./completion.ts')).completionCommand,
  },
}
