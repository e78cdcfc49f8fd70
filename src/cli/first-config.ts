/** The configuration that `pinhole init` writes. */
import type { InitAnswers } from './init-questions.ts'

const TOKEN_DAYS = 30
const SECONDS_PER_DAY = 86_400

/** YAML with words for whoever changes it; `pinhole config check` accepts it. */
export const firstConfig = (answers: InitAnswers): string =>
  [
    '# Configuration of Pinhole, written by pinhole init. Every other key, with its default and what it is for, is in',
    '# sample-conf.yaml; pinhole config check says whether a change is right. A running hub takes it over at SIGHUP.',
    '',
    ...portLines(answers),
    '',
    '# The admin API, by which pinhole service, token, stats … and the console operate the hub. What is made by them is',
    '# kept in the database and wins over this file.',
    'admin:',
    '  enabled: true',
    '',
    ...nodeLines(answers),
    '',
    ...serviceLines(answers),
    '',
  ].join('\n')

/** Double-quoted YAML is JSON. */
const quoted = (text: string): string => JSON.stringify(text)

function portLines({ servername }: InitAnswers): string[] {
  if (servername === '') {
    return [
      '# Reached from this machine only. To be reached from elsewhere: 0.0.0.0:443, and servername with the name that',
      '# clients dial.',
      'listenaddr: localhost:8081',
    ]
  }
  return [
    '# Reached from everywhere. Behind a proxy that ends TLS: localhost:8081 here, and insecure: true.',
    'listenaddr: 0.0.0.0:443',
    '# The name that clients dial. A self-signed certificate is made for it; put a tls.cert and tls.key of your own into',
    '# the folder of this file to use another.',
    `servername: ${quoted(servername)}`,
  ]
}

function nodeLines({ lnd }: InitAnswers): string[] {
  if (!lnd) {
    return [
      '# The node that gets paid is paired by its ten words (pinhole pair), which stay out of this file.',
    ]
  }
  return [
    '# The lnd that gets paid. Of the folder macdir only invoice.macaroon is used.',
    'authenticator:',
    `  network: ${lnd.network}`,
    `  lndhost: ${quoted(lnd.host)}`,
    `  tlspath: ${quoted(`${lnd.folder}/tls.cert`)}`,
    `  macdir: ${quoted(`${lnd.folder}/data/chain/bitcoin/${lnd.network}`)}`,
  ]
}

const serviceLines = ({ address, protocol, priceSats }: InitAnswers): string[] => [
  '# What is sold, in the order in which it is tried.',
  'services:',
  '  - name: api',
  '    # RE2 patterns on the Host header and the path.',
  "    hostregexp: '.*'",
  "    pathregexp: '^/.*$'",
  '    # Where paid requests go.',
  `    address: ${quoted(address)}`,
  `    protocol: ${protocol}`,
  '    # Satoshis for a token.',
  `    price: ${priceSats}`,
  `    # Seconds that a token is good for: ${TOKEN_DAYS} days. 0 is for ever.`,
  `    timeout: ${TOKEN_DAYS * SECONDS_PER_DAY}`,
  '    # on; "freebie 3" gives each client three requests for nothing; off sells nothing.',
  "    auth: 'on'",
]
