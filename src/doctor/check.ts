/** What the doctor looks at, one thing at a time. */
import type { Finding } from '../admin/contract.ts'
import type { Clock } from '../base/clock.ts'
import { isPinholeError } from '../base/errors.ts'
import type { Config } from '../config/load.ts'
import type { SurveyedNode } from '../nodes/survey.ts'
import type { ServiceSettings } from '../selling/service-fields.ts'
import type { Rpc } from '../../mailbox/rpc/rpc.ts'
import type { Ledger } from './reconcile.ts'

/** A node as the doctor sees it. */
export interface DoctorNode {
  readonly name: string
  /** Over LNC, or an lnd by its port. */
  readonly kind: 'lnc' | 'lnd'
  readonly state: 'ready' | 'connecting' | 'away'
  /** Why there is no connection, or why it is of no use, where that is known. */
  readonly reason: string
  /** Whether payments are heard. */
  readonly subscribed: boolean
  /** Asks it who it is, what the session may do and what it can receive. */
  readonly survey: () => Promise<SurveyedNode>
  /** Its calls in bytes; `undefined` while there is no connection. */
  readonly rpc: () => Pick<Rpc, 'unary'> | undefined
}

/** What there is to look at. */
export interface DoctorDeps {
  readonly config: Config
  readonly clock: Clock
  /** URL of the running hub's port; `undefined` when none runs. */
  readonly address: string | undefined
  /** URL of the admin API's own port; `undefined` when none runs, or it has none of its own. */
  readonly adminAddress?: string | undefined
  /** What clients dial, where the configuration says it. */
  readonly outside: URL | undefined
  readonly services: readonly ServiceSettings[]
  /** `undefined` when they cannot be asked: no hub runs, or its program gave it its nodes. */
  readonly nodes: readonly DoctorNode[] | undefined
  /** What was sold; `undefined` when no hub runs. */
  readonly ledger: Ledger | undefined
  /** Where no hub runs: rejects with what a start would end with. */
  readonly startable?: (() => Promise<void>) | undefined
}

/** What one look has shown. */
export type Verdict = Omit<Finding, 'check'>

/** One check. What it rejects with is a finding too. */
export interface Check {
  readonly name: string
  /** Longest time that it may take, in milliseconds. */
  readonly limitMs: number
  readonly run: (
    deps: DoctorDeps,
    signal: AbortSignal,
  ) => Promise<readonly Verdict[]> | readonly Verdict[]
}

/** All is well with what `text` says. */
export const fine = (text: string): Verdict => ({ level: 'ok', text, advice: '' })
/** It works, but. */
export const warning = (text: string, advice: string): Verdict => ({
  level: 'warning',
  text,
  advice,
})
/** It does not work. */
export const wrong = (text: string, advice: string): Verdict => ({ level: 'error', text, advice })
/** Nobody has looked, because. */
export const skipped = (text: string, advice = ''): Verdict => ({ level: 'skipped', text, advice })

/** What a step has failed with, as a finding. */
export function failed(reason: unknown, what = ''): Verdict {
  const text = what + (reason instanceof Error ? reason.message : String(reason))
  return wrong(text, isPinholeError(reason) ? reason.advice : 'Look at the reason given.')
}
