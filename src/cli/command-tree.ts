/** The command line as plain values, for its description and for completion. */
import type { Argument, Command, Option } from 'commander'
import { programWithAll } from './program.ts'

/** A flag of a command. */
export interface FlagShape {
  /** As it is typed, such as `--json`; the short one after it. */
  readonly names: readonly string[]
  readonly summary: string
  readonly takes: ValueShape
}

/** What follows a flag, or stands for an argument. */
export type ValueShape =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'choice'; readonly choices: readonly string[]; readonly optional: boolean }
  | { readonly kind: 'file' }
  | { readonly kind: 'folder' }
  | { readonly kind: 'text'; readonly what: string }

/** A command with everything below it. */
export interface CommandShape {
  /** As it is typed: `pinhole service list`. */
  readonly path: string
  readonly name: string
  readonly summary: string
  readonly flags: readonly FlagShape[]
  readonly arguments: readonly ValueShape[]
  readonly commands: readonly CommandShape[]
}

/** Every command. */
export async function commandTree(): Promise<CommandShape> {
  return shapeOf(await programWithAll(), '')
}

/** `tree` and all commands below it. */
export const withBelow = (tree: CommandShape): CommandShape[] => [
  tree,
  ...tree.commands.flatMap(withBelow),
]

function shapeOf(command: Command, above: string): CommandShape {
  const name = command.name()
  const path = above === '' ? name : `${above} ${name}`
  return {
    path,
    name,
    summary: command.description(),
    flags: [...command.options.map(flagOf), HELP],
    arguments: command.registeredArguments.map(argumentOf),
    commands: command.commands.map((below) => shapeOf(below, path)),
  }
}

const HELP: FlagShape = {
  names: ['--help'],
  summary: 'print this help',
  takes: { kind: 'nothing' },
}

function flagOf(option: Option): FlagShape {
  const { long, short, description: summary, flags } = option
  const names = [long, short].filter((name) => typeof name === 'string')
  const [, what] = /[<[]([^>\]]+)[>\]]/.exec(flags) ?? []
  const takes = what === undefined ? NOTHING : valueOf(what, option.argChoices, option.optional)
  return { names, summary, takes }
}

const argumentOf = (argument: Argument): ValueShape =>
  valueOf(argument.name(), argument.argChoices, false)

const NOTHING: ValueShape = { kind: 'nothing' }

function valueOf(
  what: string,
  choices: readonly string[] | undefined,
  optional: boolean,
): ValueShape {
  if (choices) return { kind: 'choice', choices, optional }
  if (what === 'true|false') return { kind: 'choice', choices: ['true', 'false'], optional }
  if (/^file\b/.test(what)) return { kind: 'file' }
  if (what === 'dir') return { kind: 'folder' }
  return { kind: 'text', what }
}
