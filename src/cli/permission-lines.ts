/** What a session may and may not do, and what to type for one that may. */
import type { Permission } from '../nodes/permissions.ts'
import {
  bakeCommand,
  PAYING,
  SELLING,
  sessionCommand,
  type SessionRelay,
  suffices,
} from '../nodes/permissions.ts'

const short = (method: string) => method.slice(method.lastIndexOf('/') + 1)

/** For people, such as `GetInfo, AddInvoice; missing: LookupInvoice`. */
export function permissionText(
  permissions: readonly Permission[],
  purpose: Permission['purpose'],
): string {
  const names = (allowed: boolean | undefined) =>
    permissions
      .filter((needed) => needed.purpose === purpose && needed.allowed === allowed)
      .map(({ method }) => short(method))
      .join(', ')
  const parts = [
    ['', names(true)],
    ['missing: ', names(false)],
    ['not known: ', names(undefined)],
  ]
  return parts
    .filter(([, list]) => list !== '')
    .map(([label = '', list = '']) => label + list)
    .join('; ')
}

/**
 * What to do about missing permissions; empty when none is missing. `relay` is that of an LNC session, nothing
 * for an lnd that is reached directly.
 */
export function permissionAdvice(
  permissions: readonly Permission[],
  relay: SessionRelay | undefined,
): string {
  const sells = permissions.every(({ purpose, allowed }) => purpose === 'pay' || allowed === true)
  if (sells && suffices(permissions, 'pay')) return ''
  const methods = sells ? [...SELLING, ...PAYING] : SELLING
  const aim = sells ? 'pay too (pinhole fetch)' : 'sell'
  const bake = indented(bakeCommand(methods))
  if (!relay) return `A macaroon that allows just what it takes to ${aim}:\n${bake}\n`
  return [
    `A session that allows just what it takes to ${aim}, beside litd:`,
    indented(sessionCommand(methods, relay)),
    'or a macaroon for pinhole agent, beside lnd:',
    bake,
    '',
  ].join('\n')
}

const indented = (text: string) => `  ${text.replaceAll('\n', '\n  ')}`
