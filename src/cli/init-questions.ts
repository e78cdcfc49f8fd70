/** What `pinhole init` needs to know: from flags, else asked for on a terminal. */
import { type Readable, Writable } from 'node:stream'
import { PinholeError } from '../base/errors.ts'
import { parseAddress } from '../config/address.ts'
import type { Output } from './output.ts'

/** What was given by flags. */
export interface InitGiven {
  readonly servername?: string
  readonly address?: string
  readonly price?: string
  readonly lnd?: string
  readonly lnddir?: string
  readonly network?: string
}

/** What a first configuration is made of. */
export interface InitAnswers {
  /** Empty for a hub that is reached from its own machine only. */
  readonly servername: string
  /** `host:port` of the API. */
  readonly address: string
  readonly protocol: 'http' | 'https'
  readonly priceSats: number
  /** An lnd that is reached directly; otherwise the node is paired. */
  readonly lnd:
    { readonly host: string; readonly folder: string; readonly network: string } | undefined
}

interface Question {
  readonly flag: 'servername' | 'address' | 'price' | 'lnd'
  readonly message: string
  readonly placeholder: string
  /** What is wrong with an answer. */
  readonly faultOf: (answer: string) => string | undefined
  readonly required: boolean
}

const NETWORKS = ['mainnet', 'testnet', 'testnet4', 'signet', 'simnet', 'regtest']
const MAX_PRICE_SATS = 10_000_000_000_000

const QUESTIONS: readonly Question[] = [
  {
    flag: 'servername',
    message: 'By what name will clients reach the hub? Empty: from this machine only.',
    placeholder: 'api.example.com',
    faultOf: (text) =>
      text === '' || /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(text)
        ? undefined
        : 'a name such as api.example.com',
    required: false,
  },
  {
    flag: 'address',
    message: 'Where is the API that you sell?',
    placeholder: 'localhost:9000',
    faultOf: (text) => (readUpstream(text) ? undefined : 'an address such as localhost:9000'),
    required: true,
  },
  {
    flag: 'price',
    message: 'What does a token for it cost, in satoshis? It opens the API for 30 days.',
    placeholder: '10',
    faultOf: (text) =>
      /^\d{1,14}$/.test(text) && Number(text) >= 1 && Number(text) <= MAX_PRICE_SATS
        ? undefined
        : 'a whole number of satoshis, at least 1',
    required: true,
  },
  {
    flag: 'lnd',
    message: 'Where is the gRPC port of your lnd? Empty: I pair a node by its ten words later.',
    placeholder: 'localhost:10009',
    faultOf: (text) =>
      text === '' || isPlace(text) ? undefined : 'an address such as localhost:10009',
    required: false,
  },
]

/**
 * The answers. Asks on a terminal for what was not given.
 *
 * @throws ERR_CLI_USAGE for a wrong answer, a missing one where nobody can be asked, and when asking was cancelled
 */
export async function readAnswers(
  given: InitGiven,
  input: Readable & { readonly isTTY?: boolean },
  { stderr }: Output,
): Promise<InitAnswers> {
  const terminal = input.isTTY === true && stderr.isTTY === true && stderr instanceof Writable
  const answers: Partial<Record<Question['flag'], string>> = {}
  for (const question of QUESTIONS) {
    const said = given[question.flag]
    if (said === undefined && terminal) answers[question.flag] = await ask(question, input, stderr)
    else answers[question.flag] = checked(question, said)
  }
  const { servername = '', address = '', price = '', lnd = '' } = answers
  const upstream = readUpstream(address) ?? { address, protocol: 'http' }
  return { servername, ...upstream, priceSats: Number(price), lnd: lndOf(lnd, given) }
}

function checked({ flag, faultOf, required }: Question, said: string | undefined): string {
  if (said === undefined && required) {
    const text = `--${flag} is needed where nobody can be asked`
    throw new PinholeError('ERR_CLI_USAGE', text)
  }
  const answer = (said ?? '').trim()
  const fault = faultOf(answer)
  if (fault === undefined) return answer
  throw new PinholeError('ERR_CLI_USAGE', `--${flag} must be ${fault}, not ${answer}`)
}

async function ask(
  { message, placeholder, faultOf }: Question,
  input: Readable,
  output: Writable,
): Promise<string> {
  const { isCancel, text } = await import('@clack/prompts')
  const validate = (value: string | undefined) => {
    const fault = faultOf((value ?? '').trim())
    return fault === undefined ? undefined : `This must be ${fault}.`
  }
  const answer = await text({ message, placeholder, validate, input, output })
  if (isCancel(answer)) throw new PinholeError('ERR_CLI_USAGE', 'nothing was written')
  return (answer ?? '').trim()
}

/** `host:port`, or a URL without a path. */
function readUpstream(text: string): Pick<InitAnswers, 'address' | 'protocol'> | undefined {
  const [, scheme = 'http', place = ''] = /^(?:(https?):\/\/)?([^/]+)\/?$/.exec(text) ?? []
  const protocol = scheme === 'https' ? 'https' : 'http'
  return isPlace(place) ? { address: place, protocol } : undefined
}

function isPlace(text: string): boolean {
  const place = parseAddress(text)
  return place?.host !== undefined && place.port > 0
}

function lndOf(host: string, { lnddir = '~/.lnd', network = 'mainnet' }: InitGiven) {
  if (host === '') return undefined
  if (NETWORKS.includes(network)) return { host, folder: lnddir, network }
  const text = `--network must be one of ${NETWORKS.join(', ')}, not ${network}`
  throw new PinholeError('ERR_CLI_USAGE', text)
}
