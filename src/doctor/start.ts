/** Whether a hub that does not run would start. */
import { type Check, fine } from './check.ts'

/** The check; it finds nothing where a hub runs. What is in the way of a start is what it rejects with. */
export const startCheck: Check = {
  name: 'start',
  limitMs: 20_000,
  async run({ startable }) {
    if (!startable) return []
    await startable()
    return [fine('services and nodes, also those of the database, are as a hub takes them')]
  },
}
