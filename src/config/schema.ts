/**
 * Every key of the configuration with its type, bounds and default. Keys are Aperture's, lower case,
 * so that an `aperture.yaml` loads unchanged; `limits`, `invoices`, `trustproxy`, `draintimeout` and the
 * `hashmail.max…` keys are among Pinhole's own. `sample-conf.yaml` says what each is for.
 */
import { z } from 'zod'
import {
  address,
  choice,
  duration,
  int,
  path,
  section,
  size,
  text,
  texts,
  toggle,
} from './leaves.ts'
import { LEVELS } from './log-levels.ts'
import { service } from './service-schema.ts'
import type { Path } from './tree.ts'

const SECOND_MS = 1_000
const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const KIB = 1_024
const MIB = 1_024 * KIB

const LOG_SINK = {
  disable: toggle(false),
  level: choice(['', ...LEVELS], ''),
  notimestamps: toggle(false),
  callsite: choice(['off', 'short', 'long'], 'off'),
}

const authenticator = section({
  network: choice(['', 'mainnet', 'testnet', 'testnet4', 'signet', 'simnet', 'regtest'], ''),
  disable: toggle(false),
  lndhost: text(),
  tlspath: path(),
  macdir: path(),
  passphrase: text(),
  mailboxaddress: text('mailbox.terminal.lightning.today:443'),
  devserver: toggle(false),
  wavelengthgateway: text(),
  wavelengthmacaroonpath: path(),
  enablempp: toggle(false),
  mpprealm: text(),
  enablesessions: toggle(false),
  sessiondepositmultiplier: int(20, 1),
  sessionidletimeout: int(300),
})

const hashmail = section({
  enabled: toggle(false),
  messagerate: duration(0),
  messageburstallowance: int(10),
  staletimeout: duration(HOUR_MS, 'any'),
  maxboxes: int(65_536, 1),
  maxboxesperaddress: int(16_384, 1),
  maxstreamsperaddress: int(32_768, 1),
  maxbufferedbytes: size(256 * MIB),
  maxbufferedbytesperaddress: size(128 * MIB),
  maxmessagebytes: size(4 * MIB),
  maxboxmessages: int(64, 1),
  maxboxbytes: size(MIB),
  maxunreadmessages: int(4, 1),
  messagetimeout: duration(MINUTE_MS, 'positive'),
})

const invoices = section({
  memo: text('L402'),
  expiry: duration(24 * HOUR_MS, 'positive'),
  timeout: duration(15 * SECOND_MS, 'positive'),
  keepunpaid: duration(48 * HOUR_MS, 'positive'),
  pool: section({
    enabled: toggle(true),
    perprice: int(256, 1, 10_000),
    total: int(1_024, 1, 100_000),
    minlife: duration(HOUR_MS, 'positive'),
  }),
  allowance: section({
    per: duration(MINUTE_MS, 'positive'),
    peraddress: int(120),
    perservice: int(3_000),
    total: int(6_000),
  }),
})

const limits = section({
  connections: int(0),
  connectionsperaddress: int(32_768),
  headerbytes: size(32 * KIB),
  headertimeout: duration(15 * SECOND_MS, 'positive'),
  streamsperconnection: int(0, 0, 2 ** 31 - 1),
  streamwindow: size(64 * KIB),
})

/** The whole configuration. */
export const schema = z.strictObject({
  listenaddr: address('localhost:8081'),
  servername: text(),
  autocert: toggle(false),
  insecure: toggle(false),
  staticroot: path(),
  servestatic: toggle(false),
  dbbackend: choice(['sqlite', 'postgres', 'etcd'], 'sqlite'),
  sqlite: section({ skipmigrations: toggle(false), databasefilename: path() }),
  postgres: section({
    skipmigrations: toggle(false),
    host: text(),
    port: int(5432, 0, 65_535),
    user: text(),
    password: text(),
    dbname: text(),
    maxopenconnections: int(25, -1),
    requiressl: toggle(false),
  }),
  etcd: section({ host: text(), user: text(), password: text() }),
  authenticator,
  tor: section({
    control: text(),
    listenport: int(0, 0, 65_535),
    virtualport: int(0, 0, 65_535),
    v3: toggle(false),
  }),
  services: z
    .array(service, { error: 'must be a list of services, each beginning with a dash' })
    .default([]),
  hashmail,
  prometheus: section({ enabled: toggle(false), listenaddr: address() }),
  admin: section({
    enabled: toggle(false),
    listenaddr: address(),
    macaroonpath: path(),
    corsorigins: texts(),
  }),
  debuglevel: text('info'),
  configfile: path(),
  basedir: path(),
  profile: int(0, 0, 65_535),
  idletimeout: duration(2 * MINUTE_MS),
  readtimeout: duration(15 * SECOND_MS),
  writetimeout: duration(30 * SECOND_MS),
  draintimeout: duration(10 * SECOND_MS),
  invoicebatchsize: int(100_000, 1),
  invoices,
  rememberedtokens: int(100_000, 1),
  trustproxy: texts(),
  strictverify: toggle(false),
  strict401: toggle(false),
  challengelayout: choice(['lines', 'combined'], 'lines'),
  logging: section({
    access: toggle(false),
    console: section({ ...LOG_SINK, style: toggle(false) }),
    file: section({
      ...LOG_SINK,
      compressor: choice(['gzip', 'zstd'], 'gzip'),
      maxlogfiles: int(10),
      maxlogfilesize: int(20),
    }),
    nocommithash: toggle(false),
  }),
  wspinginterval: duration(30 * SECOND_MS),
  wspongwait: duration(15 * SECOND_MS),
  blocklist: texts(),
  limits,
})

/** The values of the schema before they are frozen. */
export type Values = z.output<typeof schema>

/** The section at `path` as `OTHER_SPELLINGS` calls it. */
export const sectionId = (path: Path): string =>
  path.map((part) => (typeof part === 'number' ? '*' : part)).join('.')

/**
 * Keys that Aperture's sample spells otherwise than its code reads them, by section (`*` is any entry
 * of a list). Both are taken; so are its command line's names.
 */
export const OTHER_SPELLINGS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  sqlite: { dbfile: 'databasefilename' },
  postgres: { maxconnections: 'maxopenconnections', requireSSL: 'requiressl' },
  admin: { corsorigin: 'corsorigins' },
  'services.*.dynamicprice': { enbled: 'enabled' },
  logging: { 'no-commit-hash': 'nocommithash' },
  'logging.console': { 'no-timestamps': 'notimestamps', 'call-site': 'callsite' },
  'logging.file': {
    'no-timestamps': 'notimestamps',
    'call-site': 'callsite',
    'max-files': 'maxlogfiles',
    'max-file-size': 'maxlogfilesize',
  },
}
