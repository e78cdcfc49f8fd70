import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test, { after } from 'node:test'
import { isPinholeError, type PinholeError } from '../../src/base/errors.ts'
import { loadConfig, type LoadOptions } from '../../src/config/load.ts'
import { pendingSections } from '../../src/config/pending.ts'
import { RELAY_DEFAULTS } from '../../mailbox/relay/limits.ts'

const folder = mkdtempSync(path.join(os.tmpdir(), 'pinhole-config-'))
after(() => rmSync(folder, { recursive: true }))
const surroundings = { home: folder, env: { DATA: '/data' } }

let count = 0
function write(yaml: string): string {
  const file = path.join(folder, `${count++}.yaml`)
  writeFileSync(file, yaml)
  return file
}

const load = (yaml: string, options: LoadOptions = {}) =>
  loadConfig({ configfile: write(yaml), surroundings, ...options })

/** The error of a configuration, with the file's name left out. */
function fault(yaml: string, options: LoadOptions = {}): { code: string; lines: string[] } {
  const error = faultOf(() => load(yaml, options))
  return { code: error.code, lines: error.message.replaceAll(/\S*\d+\.yaml:/g, '').split('\n') }
}

function faultOf(action: () => unknown): PinholeError {
  try {
    action()
  } catch (error) {
    if (isPinholeError(error)) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

test('a relay needs one line of configuration', () => {
  const config = load('hashmail: { enabled: true }')
  assert.equal(config.hashmail.enabled, true)
  assert.equal(config.listenaddr, 'localhost:8081')
  assert.deepEqual(pendingSections(config), [])
})

test('the relay has the same limits by configuration as by default', () => {
  const { hashmail, wspinginterval, wspongwait } = load('')
  const configured = {
    messageRateMs: hashmail.messagerate,
    messageBurst: hashmail.messageburstallowance,
    staleTimeoutMs: hashmail.staletimeout,
    wsPingIntervalMs: wspinginterval,
    wsPongWaitMs: wspongwait,
    maxBoxes: hashmail.maxboxes,
    maxBoxesPerAddress: hashmail.maxboxesperaddress,
    maxStreamsPerAddress: hashmail.maxstreamsperaddress,
    maxBufferedBytes: hashmail.maxbufferedbytes,
    maxBufferedBytesPerAddress: hashmail.maxbufferedbytesperaddress,
    maxMessageBytes: hashmail.maxmessagebytes,
    maxBoxMessages: hashmail.maxboxmessages,
    maxBoxBytes: hashmail.maxboxbytes,
    maxUnreadMessages: hashmail.maxunreadmessages,
    messageTimeoutMs: hashmail.messagetimeout,
  }
  assert.deepEqual(configured, RELAY_DEFAULTS)
})

test('every mistake is named at once, with line, column and the nearest key', () => {
  const { code, lines } = fault(`listenaddr: 127.0.0.1:1
hashmial:
  enabled: true
hashmail:
  enabled: yes
  unheardof: 3
readtimeout: 15
wspinginterval: -1s
sqlite:
  dbfiel: x
messagerate: 1s
services:
- name: a
  auth: onn
  price: -1
  dynamicprice:
    enbled: x
  ratelimits:
  - requests: 0
    per: 1h
`)
  assert.equal(code, 'ERR_CONFIG_KEY')
  assert.deepEqual(lines, [
    '2:1: hashmial: unknown key; did you mean hashmail?',
    '5:12: hashmail.enabled: must be true or false, not "yes"',
    '6:3: hashmail.unheardof: unknown key',
    '7:14: readtimeout: must be a duration such as 30s or 1h30m, not "15"',
    '8:17: wspinginterval: must be a duration such as 30s or 1h30m, not "-1s"',
    '10:3: sqlite.dbfiel: unknown key; did you mean dbfile?',
    '11:1: messagerate: unknown key; did you mean hashmail.messagerate?',
    '14:9: services[0].auth: must be on, off or "freebie N", not "onn"',
    '15:10: services[0].price: must be a whole number from 0 to 10000000000000, not -1',
    '17:13: services[0].dynamicprice.enbled: must be true or false, not "x"',
    '19:15: services[0].ratelimits[0].requests: must be a whole number of at least 1, not 0',
  ])
})

test('whole numbers are what they are to Aperture, or it is said that they are not', () => {
  const price = (written: string) =>
    load(`services: [{name: a, price: ${written}}]`).services[0]?.price
  assert.deepEqual(
    ['"5"', "'7'", '1_000', '+5', '0x10', '0o10', '1e3', '018', '007'].map(price),
    [5, 7, 1000, 5, 16, 8, 1000, 18, 7],
  )
  for (const refused of ['"010"', '"5.5"', '5.5', '" 5"', '""', '_5', '0_10']) {
    assert.throws(() => price(refused), /must be a whole number/, refused)
  }
  assert.throws(
    () => price('010'),
    /price: is 8 to Aperture and 10 here: write the one that is meant/,
  )
  assert.throws(() => load('profile: "80"'), /must be between 1024/)
})

test('a top-level key that begins with x- may hold anchors, and nothing else', () => {
  const config = load(`x-common: &common
  price: 7
  auth: on
x-empty:
services:
- <<: *common
  name: a
  headers: { x-key: b }
`)
  assert.equal(config.services[0]?.price, 7)
  assert.deepEqual({ ...config.services[0].headers }, { 'x-key': 'b' })
  assert.throws(() => load('hashmail: { x-common: 1 }'), /hashmail.x-common: unknown key/)
})

for (const [name, yaml, code, line] of [
  ['an alias of nothing', 'servername: *nope', 'ERR_CONFIG_SYNTAX', /^1:13: there is no &nope/],
  ['a merge of nothing', 'hashmail:\n  <<: *no', 'ERR_CONFIG_SYNTAX', /^2:7: there is no &no /],
  [
    'two documents',
    'insecure: true\n---\n{}',
    'ERR_CONFIG_SYNTAX',
    /^2:1: begins a second document/,
  ],
  ['a tab', 'a: 1\n\tb: 2', 'ERR_CONFIG_SYNTAX', /^2:1: .*[Tt]ab/],
  ['a key twice', 'insecure: true\ninsecure: false', 'ERR_CONFIG_SYNTAX', /^2:1: .*unique/],
  ['a list', '- 1', 'ERR_CONFIG_SYNTAX', /^1:1: must hold keys and values/],
  ['a bare tag', 'basedir: !file x', 'ERR_CONFIG_SYNTAX', /^1:10: put quotes around/],
  ['both spellings', 'sqlite:\n  dbfile: a\n  databasefilename: b', 'ERR_CONFIG_SYNTAX', /^3:3: /],
  ['an alias to itself', 'services: &a\n- *a', 'ERR_CONFIG_SYNTAX', /nested too deeply/],
  ['a section as text', 'hashmail: true', 'ERR_CONFIG_VALUE', /^1:11: hashmail: must be a section/],
  [
    'text as a section',
    'listenaddr: {}',
    'ERR_CONFIG_VALUE',
    /must be an address .* not a section/,
  ],
  [
    'a port beyond',
    'listenaddr: localhost:65536',
    'ERR_CONFIG_VALUE',
    /^1:13: listenaddr: must be/,
  ],
  ['an odd level', 'debuglevel: info,RELAY=loud', 'ERR_CONFIG_VALUE', /^1:13: debuglevel: "loud"/],
  ['a slow pong', 'wspongwait: 40s', 'ERR_CONFIG_VALUE', /^1:13: wspongwait: \(40s\) must be less/],
  ['no root', 'servestatic: true', 'ERR_CONFIG_VALUE', /staticroot: cannot be empty/],
  ['a low port', 'profile: 80', 'ERR_CONFIG_VALUE', /^1:10: profile: must be between 1024/],
  [
    'nowhere to measure',
    'prometheus: { enabled: true }',
    'ERR_CONFIG_VALUE',
    /listenaddr: is needed/,
  ],
  ['no variable', 'staticroot: $NOWHERE/x', 'ERR_CONFIG_VALUE', /^1:13: .*NOWHERE is not set/],
  [
    'no buffer',
    'hashmail: { maxbufferedbytes: 1MiB }',
    'ERR_CONFIG_VALUE',
    /larger than hashmail.max/,
  ],
  [
    'size of zero',
    'limits: { headerbytes: 0 }',
    'ERR_CONFIG_VALUE',
    /headerbytes: must be a number of/,
  ],
  ['no rate', 'services: [{ ratelimits: [{ per: 1s }] }]', 'ERR_CONFIG_VALUE', /requests: must be/],
  ['no time', 'services: [{ ratelimits: [{ requests: 1 }] }]', 'ERR_CONFIG_VALUE', /per: must be/],
  ['odd rewrite', 'services: [{ rewrite: { prefix: //x } }]', 'ERR_CONFIG_VALUE', /absolute path/],
  [
    'bad metering',
    'services: [{ dynamicprice: { metered: true } }]',
    'ERR_CONFIG_VALUE',
    /requires/,
  ],
  [
    'sessions alone',
    'authenticator: { enablesessions: true }',
    'ERR_CONFIG_VALUE',
    /enablesessions: requires enablempp/,
  ],
  [
    'two nodes',
    'authenticator: { lndhost: a:1, passphrase: b }',
    'ERR_CONFIG_VALUE',
    /passphrase: cannot be set/,
  ],
  ['half a node', 'authenticator: { lndhost: a:1 }', 'ERR_CONFIG_VALUE', /tlspath: is needed/],
] as const) {
  test(`refuses ${name}`, () => {
    const { code: found, lines } = fault(yaml)
    assert.equal(found, code)
    assert.match(lines.join('\n'), line)
  })
}

test('a passphrase never shows in an error', () => {
  const { lines } = fault('authenticator: { passphrase: [abandon, ability] }')
  assert.doesNotMatch(lines.join(), /abandon/)
})

test('every real configuration of Aperture loads unchanged', () => {
  const configs = path.resolve(import.meta.dirname, '../vectors/aperture-config')
  const files = readdirSync(configs).filter((name) => name.endsWith('.yaml'))
  assert.equal(files.length, 6)
  for (const name of files) {
    const config = loadConfig({ configfile: path.join(configs, name), surroundings })
    assert.equal(config.insecure, true, name)
  }
  const main = loadConfig({ configfile: path.join(configs, 'main.yaml'), surroundings })
  assert.equal(main.services.length, 17)
  assert.deepEqual(main.services[5]?.constraints, { region: 'eu', plan: '1682483169' })
  assert.equal(main.services.find(({ name }) => name === 'hdr')?.headers['X-Number'], '42')
  assert.equal(main.services.find(({ name }) => name === 'rl')?.ratelimits[0]?.per, 3_600_000)
  assert.deepEqual(pendingSections(main), [])
})

test('both spellings of a key mean the same', () => {
  const config = load(`
sqlite: { dbfile: /a.db }
postgres: { maxconnections: 7, requireSSL: true }
admin: { corsorigin: [https://a.example] }
logging: { file: { max-files: 3 }, console: { level: debug, style: true } }
services: [{ dynamicprice: { enbled: true, insecure: true } }]
`)
  assert.equal(config.sqlite.databasefilename, '/a.db')
  assert.equal(config.postgres.maxopenconnections, 7)
  assert.equal(config.postgres.requiressl, true)
  assert.deepEqual(config.admin.corsorigins, ['https://a.example'])
  assert.equal(config.logging.file.maxlogfiles, 3)
  assert.equal(config.services[0]?.dynamicprice.enabled, true)
})

test('scalars are text where text is wanted, as they were written', () => {
  const { services } = load(
    'services: [{ name: 1.10, auth: true, constraints: { a: 0x10, b: 007 } }]',
  )
  assert.equal(services[0]?.name, '1.10')
  assert.deepEqual(services[0].auth, { level: 'on' })
  assert.deepEqual(services[0].constraints, { a: '0x10', b: '007' })
})

test('a key without a value is not set; anchors and merges work', () => {
  const config = load(`
hashmail:
readtimeout:
services:
- &first { name: a, price: 3 }
- <<: *first
  name: b
`)
  assert.equal(config.hashmail.enabled, false)
  assert.equal(config.readtimeout, 15_000)
  assert.deepEqual(
    config.services.map(({ name, price }) => [name, price]),
    [
      ['a', 3],
      ['b', 3],
    ],
  )
})

test('a bare 0 is a duration here, a negative staletimeout is allowed', () => {
  const config = load('readtimeout: 0\nwritetimeout: "0"\nhashmail: { staletimeout: -1s }')
  assert.equal(config.readtimeout, 0)
  assert.equal(config.writetimeout, 0)
  assert.equal(config.hashmail.staletimeout, -1_000)
})

test('a key called __proto__ is an unknown key and nothing else', () => {
  const { lines } = fault('__proto__: { insecure: true }\nhashmail: { __proto__: 1 }')
  assert.match(lines.join('\n'), /^1:1: __proto__: unknown key/)
  assert.equal(Reflect.get({}, 'insecure'), undefined)
})

test('flags win over the file, values between them', () => {
  const config = load('listenaddr: localhost:1\ninsecure: true\nhashmail: { maxboxes: 5 }', {
    values: { hashmail: { enabled: true }, idletimeout: '1m' },
    flags: {
      listenaddr: 'localhost:2',
      insecure: 'false',
      'hashmail.maxboxes': '9',
      'sqlite.dbfile': '~/x.db',
      'admin.corsorigin': ['https://a.example', 'https://b.example'],
      'logging.console.no-timestamps': true,
    },
  })
  assert.equal(config.listenaddr, 'localhost:2')
  assert.equal(config.insecure, false)
  assert.equal(config.hashmail.enabled, true)
  assert.equal(config.hashmail.maxboxes, 9)
  assert.equal(config.idletimeout, 60_000)
  assert.equal(config.sqlite.databasefilename, path.join(folder, 'x.db'))
  assert.equal(config.admin.corsorigins.length, 2)
  assert.equal(config.logging.console.notimestamps, true)
})

test('a wrong flag is named as it was written', () => {
  const { lines } = fault('', { flags: { 'hashmail.maxboxes': 'many', readtimeout: 'x' } })
  assert.deepEqual(
    lines,
    [
      'command line, --readtimeout: readtimeout: must be a duration such as 30s or 1h30m, not "x"',
      'command line, --hashmail.maxboxes: hashmail.maxboxes: must be a whole number of at least 1, not "many"',
    ].toSorted((a, b) => lines.indexOf(a) - lines.indexOf(b)),
  )
  assert.throws(() => load('', { flags: { nosuchkey: '1' } }), TypeError)
})

test('paths are expanded, other text is left alone', () => {
  const config = load(
    'staticroot: ~/www\nauthenticator: { tlspath: "${DATA}/tls.cert", lndhost: "", mpprealm: $DATA }',
  )
  assert.equal(config.staticroot, path.join(folder, 'www'))
  assert.equal(config.authenticator.tlspath, '/data/tls.cert')
  assert.equal(config.authenticator.mpprealm, '$DATA')
  assert.equal(config.sqlite.databasefilename, path.join(folder, '.pinhole/pinhole.db'))
})

test('the file is searched in the order of the documentation', () => {
  const basedir = path.join(folder, 'base')
  mkdirSync(basedir)
  const find = () => loadConfig({ basedir, surroundings }).configfile
  assert.equal(find(), '')
  writeFileSync(path.join(basedir, 'aperture.yaml'), '')
  assert.equal(find(), path.join(basedir, 'aperture.yaml'))
  writeFileSync(path.join(basedir, 'pinhole.yaml'), '')
  assert.equal(find(), path.join(basedir, 'pinhole.yaml'))
  const env = { PINHOLE_BASEDIR: basedir }
  const { configfile, basedir: used } = loadConfig({ surroundings: { home: folder, env } })
  assert.equal(configfile, path.join(basedir, 'pinhole.yaml'))
  assert.equal(used, basedir)
  const missing = faultOf(() => loadConfig({ configfile: '~/none.yaml', surroundings }))
  assert.equal(missing.code, 'ERR_CONFIG_FILE')
  assert.match(missing.message, /none\.yaml does not exist/)
})

test('basedir of the command line wins over that of the file', () => {
  assert.equal(load('basedir: ~/there').basedir, path.join(folder, 'there'))
  assert.equal(load('basedir: ~/there', { basedir: '/here' }).basedir, '/here')
})

test('the configuration is frozen to its last leaf', () => {
  const config = load('services: [{ name: a }]')
  assert.ok(Object.isFrozen(config) && Object.isFrozen(config.services[0]?.dynamicprice))
  assert.throws(() => Reflect.apply(Array.prototype.push, config.blocklist, ['1.2.3.4']), TypeError)
})
