import type { NodeRow, NodeRows } from '../../src/store/node-rows.ts'

/** Rows that forget with the process. */
export function memoryRows(): NodeRows {
  const rows = new Map<string, NodeRow>()
  return {
    list: () => [...rows.values()].sort((a, b) => a.createdAtMs - b.createdAtMs),
    get: (name) => rows.get(name),
    put: async (row, was) => {
      const same = rows.get(row.name) === was
      if (same) rows.set(row.name, row)
      return same
    },
    remove: async (name) => rows.delete(name),
    dropInvoices: async () => {},
  }
}
