/** Every key of the configuration as an option of a command, by its own name and by Aperture's. */
import { type Command, Option } from 'commander'
import type { Flags } from '../config/flags.ts'
import { flagNames, type Key, KEYS } from '../config/keys.ts'

/** Options of the command that are no keys, though keys of that name exist. */
const OWN_OPTIONS = new Set(['basedir', 'configfile'])
/** Flags that the help shows; it says where to find the others. */
const SHOWN: Readonly<Record<string, string>> = {
  listenaddr: 'where to listen (localhost:8081)',
  insecure: 'cleartext HTTP/1.1 and HTTP/2 instead of TLS',
  servername: 'name that clients dial, for the certificate',
  'hashmail.enabled': 'host a mailbox relay for Lightning Node Connect',
  'prometheus.enabled': 'serve metrics',
  'prometheus.listenaddr': 'where to serve metrics',
  debuglevel: 'info, or info,RELAY=debug (info)',
}

const flagKeys = KEYS.flatMap((key) =>
  flagNames(key)
    .filter((name) => !OWN_OPTIONS.has(name))
    .map((name) => ({ name, option: optionOf(name, key) })),
)

function optionOf(name: string, { leaf }: Key): Option {
  const argument = leaf.flag === 'switch' ? '[true|false]' : leaf.path ? '<file>' : '<value>'
  const option = new Option(`--${name} ${argument}`, SHOWN[name] ?? '').hideHelp(!(name in SHOWN))
  if (leaf.flag !== 'list') return option
  return option.argParser((value: string, before: readonly string[] = []) => [...before, value])
}

/** Adds a flag for every key to `command`. */
export function addKeyFlags(command: Command): Command {
  for (const { option } of flagKeys) command.addOption(option)
  return command
}

/** The keys among the options that `command` was given. */
export function readKeyFlags(command: Command): Flags {
  const given: Record<string, unknown> = command.opts()
  return Object.fromEntries(
    flagKeys.flatMap(({ name, option }) => {
      const value = given[option.attributeName()]
      return isFlagValue(value) ? [[name, value]] : []
    }),
  )
}

function isFlagValue(value: unknown): value is Flags[string] {
  return typeof value === 'string' || typeof value === 'boolean' || Array.isArray(value)
}
