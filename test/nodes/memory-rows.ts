import type { NodeRow, NodeRows } from '../../src/store/node-rows.ts'

/** Rows that forget with the process. */
export function memoryRows(): NodeRows {
  const rows = new Map<string, NodeRow>()
  return {
    list: () => [...rows.values()].sort((a, b) => a.createdAtMs - b.createdAtMs),
    get: (name) => rows.get(name),
    put: async (row) => void rows.set(row.name, row),
    remove: async (name) => rows.delete(name),
    dropInvoices: async () => {},
  }
}
