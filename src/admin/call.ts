/** One call of an operation, however it came: scope ► request ► operation. */
import type { Log } from '../base/log.ts'
import { PinholeError } from '../base/errors.ts'
import { operations as contract, type OperationName } from './contract.ts'
import { requestError } from './failure.ts'
import type { Guard, Visitor } from './guard.ts'
import type { AnswerOf, Operations } from './operations.ts'

/** What calls are carried out by. */
export interface Desk {
  readonly operations: Partial<Operations>
  readonly guard: Guard
  readonly log: Log
}

const isDryRun = (request: object): boolean => 'dry_run' in request && request.dry_run === true

/** Answers a call. Rejects with `PinholeError` for what was foreseen. */
export async function call<Name extends OperationName>(
  { operations, guard, log }: Desk,
  name: Name,
  request: unknown,
  visitor: Visitor,
): Promise<AnswerOf<Name>> {
  const { scope } = contract[name]
  const caller = guard.admit(visitor, scope)
  if (caller instanceof PinholeError) throw caller
  const carryOut = operations[name]
  if (!carryOut) throw new PinholeError('ERR_ADMIN_OPERATION', `this hub has no ${name}`)
  const checked = contract[name].request.safeParse(request)
  if (!checked.success) throw requestError(checked.error)
  if (scope === 'write' || scope === 'pay') {
    const named = { operation: name, address: caller.address }
    // The console asks so with every letter that is typed.
    if (isDryRun(checked.data)) log.debug(named, 'the admin API was asked for a dry run')
    else log.info(named, 'the admin API was called')
  }
  // The schema of `name` has checked it; the compiler does not follow a name through the table.
  return carryOut(checked.data as never, caller)
}
