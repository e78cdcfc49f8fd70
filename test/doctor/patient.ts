/** A hub as the doctor sees it, with nothing wrong unless a test says so. */
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import type { Finding } from '../../src/admin/contract.ts'
import { systemClock } from '../../src/base/clock.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { Check, DoctorDeps } from '../../src/doctor/check.ts'
import { findingsOf } from '../../src/doctor/doctor.ts'

/** A folder that is gone after the test. */
export function folder(t: TestContext): string {
  const made = mkdtempSync(path.join(os.tmpdir(), 'pinhole-doctor-'))
  t.after(() => rmSync(made, { recursive: true, force: true }))
  return made
}

/** What the doctor looks at: `values` of the configuration, and `more` of the rest. */
export function patient(
  t: TestContext,
  values: Readonly<Record<string, unknown>> = {},
  more: Partial<DoctorDeps> = {},
): DoctorDeps {
  const config = loadConfig({ basedir: folder(t), configfile: false, values })
  return {
    config,
    clock: systemClock,
    address: undefined,
    outside: undefined,
    services: config.services,
    nodes: undefined,
    ledger: undefined,
    ...more,
  }
}

/** What `check` finds, as `level: text`. */
export async function found(check: Check, deps: DoctorDeps): Promise<readonly string[]> {
  return (await findingsOf(check, deps)).map(textOf)
}

/** A finding on one line. */
export const textOf = ({ level, text }: Finding): string => `${level}: ${text}`
