import type { NodeRow, NodeRows } from '../../src/nodes/rows.ts'

/** Rows that forget with the process. */
export function memoryRows(): NodeRows {
  const rows = new Map<string, NodeRow>()
  return {
    list: () => [...rows.values()].sort((a, b) => a.createdAtMs - b.createdAtMs),
    get: (name) => rows.get(name),
    put: (row) => void rows.set(row.name, row),
    replace(name, row) {
      rows.delete(name)
      rows.set(row.name, row)
    },
    remove: (name) => rows.delete(name),
  }
}
