/** The combinations of our ends and relay with the official ones. */
import type { Maker, Transport } from './ends.ts'

/** One combination. */
export interface Cell {
  readonly client: Maker
  readonly server: Maker
  readonly relay: Maker
  /** What the client end speaks to the relay. */
  readonly transport: Transport
}

const MAKERS: readonly Maker[] = ['pinhole', 'go']
const TRANSPORTS: readonly Transport[] = ['websocket', 'grpc']

/** `client-server-relay-transport` */
export function cellName({ client, server, relay, transport }: Cell): string {
  return `${client}-${server}-${relay}-${transport}`
}

const only = process.env.PINHOLE_INTEROP_ONLY?.split(',')

/** All sixteen, or those that `PINHOLE_INTEROP_ONLY` names. */
export const CELLS: readonly Cell[] = MAKERS.flatMap((relay) =>
  MAKERS.flatMap((client) =>
    MAKERS.flatMap((server) =>
      TRANSPORTS.map((transport) => ({ client, server, relay, transport })),
    ),
  ),
).filter((cell) => only === undefined || only.includes(cellName(cell)))

/** The columns of a table that say which cell a row is of. */
export function cellColumns({ client, server, relay, transport }: Cell): string {
  return [client, server, relay, transport.padEnd(9)].map((word) => word.padEnd(7)).join(' | ')
}

export const CELL_HEAD = 'client  | server  | relay   | way      '

/** Milliseconds for a table. */
export const formatMs = (value: number): string => value.toFixed(value < 10 ? 1 : 0).padStart(6)
