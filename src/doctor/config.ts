/** What the configuration says that it should not, or that nothing acts on. */
import { statSync } from 'node:fs'
import path from 'node:path'
import { rootKeyPath } from '../admin/key-files.ts'
import type { Config } from '../config/load.ts'
import { pendingSections } from '../config/pending.ts'
import { type Check, type DoctorDeps, fine, type Verdict, warning, wrong } from './check.ts'
import { isOpen } from './places.ts'

/** The check. */
export const configCheck: Check = {
  name: 'config',
  limitMs: 2_000,
  run(deps) {
    const { config } = deps
    const found = [...settings(deps), ...readable(config)]
    const where = config.configfile === '' ? 'the standard values' : config.configfile
    return found.length === 0 ? [fine(`nothing is wrong with ${where}`)] : found
  },
}

function settings({ config, services, nodes }: DoctorDeps): Verdict[] {
  const { authenticator, insecure, trustproxy, admin } = config
  const found: Verdict[] = []
  const pending = pendingSections(config)
  if (pending.length > 0) {
    const text = `nothing in this version acts on ${pending.join(', ')}`
    found.push(warning(text, 'Take them out, so that nobody counts on them.'))
  }
  if (insecure && isOpen(config) && trustproxy.length === 0) {
    const text = 'the port is open to others and speaks cleartext: tokens can be read on the way'
    const advice =
      'Leave insecure out, or listen on localhost behind a proxy that you name in trustproxy.'
    found.push(warning(text, advice))
  }
  if (authenticator.devserver) {
    const text = 'authenticator.devserver takes any certificate of the relay'
    found.push(warning(text, 'Leave it out unless the relay is your own with a self-signed one.'))
  }
  if (admin.enabled && admin.corsorigins.includes('*')) {
    const text = 'admin.corsorigins lets every web page call the admin API, if it has a macaroon'
    found.push(warning(text, 'Name the pages that may.'))
  }
  const sold = services.filter(({ auth }) => auth.level !== 'off')
  if (sold.length > 0 && nodes?.length === 0) {
    const text = `${countOf(sold.length, 'service')} for sale, but no node that could be paid`
    found.push(wrong(text, 'Pair one: pinhole pair, or the console at /_pinhole/.'))
  }
  for (const { name } of services.filter(({ dynamicprice }) => dynamicprice.enabled)) {
    const text = `the service ${name} has a dynamic price, which this version does not ask for`
    found.push(warning(text, 'Give it a fixed price.'))
  }
  return found
}

const countOf = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`

const OTHERS = 0o077

/** Secrets that others of this machine can read. */
function readable(config: Config): Verdict[] {
  const { basedir, configfile, admin, authenticator } = config
  const files = [
    path.join(basedir, 'tls.key'),
    path.join(basedir, 'node.key'),
    ...(admin.enabled ? [admin.macaroonpath, rootKeyPath(admin.macaroonpath)] : []),
    ...(authenticator.passphrase !== '' && configfile !== '' ? [configfile] : []),
  ]
  return files.filter(isReadableByOthers).map((file) => {
    return warning(`others of this machine can read ${file}`, `Type: chmod 600 ${file}`)
  })
}

function isReadableByOthers(file: string): boolean {
  // Windows has no such bits.
  if (process.platform === 'win32') return false
  const mode = statSync(file, { throwIfNoEntry: false })?.mode ?? 0
  return (mode & OTHERS) !== 0
}
