/** What happens, as it happens. */
import type { AdminDeps } from '../deps.ts'
import type { Operations } from '../operations.ts'

/** `streamEvents`. */
export const eventOperations = ({ events }: AdminDeps): Pick<Operations, 'streamEvents'> => ({
  streamEvents: async (_request, { signal }) => events.read(signal),
})
