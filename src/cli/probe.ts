/** `pinhole service probe`: lets the hub ask an upstream whether it answers, before anything is sold from there. */
import { type Command, Option } from 'commander'
import type { CommandContext } from './command.ts'
import { Exit, type ExitCode } from './exit.ts'
import { askHub, hubCommand, type ReachOptions } from './hub-client.ts'
import { type Output, writeResult } from './output.ts'

interface ProbeOptions extends ReachOptions {
  readonly protocol?: string
  readonly path?: string
  readonly upstreamCert?: string
  readonly upstreamInsecure?: boolean
}

const HELP = `
Any answer will do, its status is shown. Ends with 1 when there is none.
`

/** The command. */
export function probeCommand({ output, finish }: CommandContext): Command {
  return hubCommand('probe', 'ask an upstream whether it answers the hub')
    .argument('<address>', 'host:port, or unix: and a path')
    .addOption(
      new Option('--protocol <name>', 'spoken there (http)').choices(['http', 'https', 'h2c']),
    )
    .option('--path <path>', 'what to ask for (/)')
    .option('--upstream-cert <file>', 'certificate or authority to trust there, a file of the hub')
    .option('--upstream-insecure', 'trust any certificate there')
    .addHelpText('after', HELP)
    .action(async (address: string, options: ProbeOptions) =>
      finish(await probe(address, options, output)),
    )
}

async function probe(address: string, options: ProbeOptions, output: Output): Promise<ExitCode> {
  const { protocol, path, upstreamCert, upstreamInsecure } = options
  const request = {
    address,
    protocol,
    path,
    tls_cert_path: upstreamCert,
    tls_insecure: upstreamInsecure,
  }
  const answer = await askHub(options, output, (client) => client.testUpstream(request))
  writeResult(output, answer, options.json ?? false)
  return answer.reachable ? Exit.ok : Exit.general
}
