/** Links that log a browser in to the console. */
import { PinholeError } from '../../base/errors.ts'
import type { Operations } from '../operations.ts'
import { CONSOLE_PATH } from '../session-routes.ts'
import type { Sessions } from '../session.ts'

/** `createLoginLink`: the session can do what the macaroon can that asked for the link. */
export const loginOperations = (sessions: Sessions): Pick<Operations, 'createLoginLink'> => ({
  async createLoginLink(_request, { macaroon }) {
    if (macaroon === undefined) throw new PinholeError('ERR_ADMIN_MACAROON', 'missing macaroon')
    const { code, endsAtMs } = sessions.link(macaroon)
    // A fragment is sent to no server, so no log can have it.
    return {
      path: `${CONSOLE_PATH}#login=${code}`,
      expires_at: new Date(endsAtMs).toISOString(),
    }
  },
})
