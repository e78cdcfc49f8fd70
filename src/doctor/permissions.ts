/** Whether the nodes are there and may do what selling takes. */
import { permissionAdvice, permissionText } from '../cli/permission-lines.ts'
import { suffices } from '../nodes/permissions.ts'
import {
  type Check,
  type DoctorNode,
  failed,
  fine,
  skipped,
  type Verdict,
  warning,
  wrong,
} from './check.ts'

const DAY_MS = 86_400_000
/** A session that ends soon is to be replaced before it does. */
const SOON_MS = 14 * DAY_MS

/** The check. */
export const permissionsCheck: Check = {
  name: 'permissions',
  limitMs: 20_000,
  async run({ nodes, clock }) {
    if (!nodes) return [skipped('the nodes cannot be asked', 'Start the hub, and ask it.')]
    if (nodes.length === 0) return [skipped('no node is paired', 'Pair one: pinhole pair.')]
    const found = await Promise.all(nodes.map((node) => look(node, clock.wall())))
    return found.flat()
  },
}

async function look(node: DoctorNode, wallMs: number): Promise<Verdict[]> {
  if (node.state !== 'ready') return [absent(node)]
  try {
    const { permissions, mailbox, insecureTls, expiresAt } = await node.survey()
    const found: Verdict[] = []
    const text = `${node.name}: selling: ${permissionText(permissions, 'sell')}`
    const advice = permissionAdvice(
      permissions,
      mailbox === '' ? undefined : { mailbox, insecureTls },
    )
    if (suffices(permissions, 'sell')) found.push(fine(text))
    else if (permissions.some(({ allowed }) => allowed === false)) found.push(wrong(text, advice))
    else found.push(warning(text, advice))
    if (!node.subscribed) {
      const deaf = `${node.name}: its payments are not heard at the moment`
      found.push(
        warning(deaf, 'It needs SubscribeInvoices; the log of the hub says what is missing.'),
      )
    }
    if (expiresAt && expiresAt.getTime() - wallMs < SOON_MS) {
      const ends = `${node.name}: its session ends at ${expiresAt.toISOString()}`
      found.push(warning(ends, 'Make another session at the node and pair with its phrase.'))
    }
    return found
  } catch (reason) {
    return [failed(reason, `${node.name}: `)]
  }
}

/** A node that nobody can ask now. */
function absent({ name, kind, state, reason }: DoctorNode): Verdict {
  const why = reason === '' ? 'it does not answer' : reason
  if (state === 'connecting') {
    return warning(`${name}: it is being connected to (${why})`, 'Run this again in half a minute.')
  }
  return wrong(`${name}: it is away: ${why}`, WHERE_TO_LOOK[kind])
}

const WHERE_TO_LOOK = {
  lnc: 'See that the node and its litd or pinhole agent run and reach the relay, and that the session was not revoked.',
  lnd: 'See that lnd runs and is unlocked at lndhost, that tlspath is the tls.cert which it has now, and that macdir has its invoice.macaroon.',
} as const
