/** Whether the nodes are there and may do what selling takes. */
import { permissionAdvice, permissionText } from '../cli/permission-lines.ts'
import { suffices } from '../nodes/permissions.ts'
import type { ServiceSettings } from '../selling/service-fields.ts'
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
  async run({ nodes, services, clock }) {
    if (!nodes) return [skipped('the nodes cannot be asked', 'Start the hub, and ask it.')]
    const found = await Promise.all(nodes.map((node) => look(node, clock.wall())))
    if (nodes.length === 0) found.push([skipped('no node is paired', 'Pair one: pinhole pair.')])
    return [...found.flat(), ...unpaid(services, nodes)]
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
      const why = node.reason === '' ? '' : `: ${node.reason}`
      const deaf = `${node.name}: its payments are not heard at the moment${why}`
      found.push(
        warning(deaf, 'It needs SubscribeInvoices; the log of the hub says what is missing.'),
      )
    } else if (node.reason !== '') {
      found.push(
        wrong(`${node.name}: ${node.reason}`, 'Nothing is sold through it until that is mended.'),
      )
    }
    if (expiresAt && expiresAt.getTime() - wallMs < SOON_MS) {
      const ends = `${node.name}: its session ends at ${expiresAt.toISOString()}`
      found.push(warning(ends, `Make another session at the node in time; ${another(node.name)}`))
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
  return wrong(`${name}: it is away: ${why}`, WHERE_TO_LOOK[kind](name))
}

const WHERE_TO_LOOK = {
  lnc: (name: string) =>
    `See that the node and its litd or pinhole agent run and reach the relay. Where the session was revoked or has expired, make another at the node; ${another(name)}`,
  lnd: () =>
    'See that lnd runs and is unlocked at lndhost, that tlspath is the tls.cert which it has now, and that macdir has its invoice.macaroon.',
} as const

/** Services may name the node: it is to keep its name. */
const another = (name: string): string =>
  `then run "pinhole node remove ${name}", and "pinhole pair --name ${name}" with its phrase.`

/** Services whose node is none: nobody can buy them. */
function unpaid(services: readonly ServiceSettings[], nodes: readonly DoctorNode[]): Verdict[] {
  const known = new Set(nodes.map(({ name }) => name))
  return services
    .filter(({ node, auth }) => auth.level !== 'off' && node !== '' && !known.has(node))
    .map(({ name, node }) => {
      const advice = `Pair it: pinhole pair --name ${node}. Or give the service another node.`
      const what = name || 'a service'
      return wrong(`${what} is paid to the node ${node}, which is not paired`, advice)
    })
}
