/** `pinhole completion`: scripts by which shells complete what is typed. */
import { type Command, Argument } from 'commander'
import type { CommandShape } from './command-tree.ts'
import { command, type CommandContext } from './command.ts'

type Write = (tree: CommandShape) => string

const SHELLS: Readonly<Record<string, () => Promise<Write>>> = {
  bash: async () => (await import('./completion/bash.ts')).bashCompletion,
  zsh: async () => (await import('./completion/zsh.ts')).zshCompletion,
  fish: async () => (await import('./completion/fish.ts')).fishCompletion,
}

const HELP = `
Examples:
  source <(pinhole completion bash)                                  for now; in ~/.bashrc for ever
  pinhole completion zsh > ~/.zfunc/_pinhole                         a folder of $fpath
  pinhole completion fish > ~/.config/fish/completions/pinhole.fish
`

/** The command. */
export function completionCommand({ output }: CommandContext): Command {
  return command('completion', 'the script by which a shell completes commands and flags')
    .addArgument(new Argument('<shell>').choices(Object.keys(SHELLS)))
    .addHelpText('after', HELP)
    .action(async (shell: string) => {
      const { commandTree } = await import('./command-tree.ts')
      const write = await SHELLS[shell]?.()
      if (write) output.stdout.write(write(await commandTree()))
    })
}
