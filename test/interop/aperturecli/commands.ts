/** Every command of aperturecli, with what it is given, in the order in which both are asked. */

/** What commands are about, of the one that is asked. */
export interface Means {
  /** Ids of tokens that were bought, in hex. */
  readonly weather: string
  readonly news: string
}

/** A command by the name that docs/aperture.md may know it by. */
export interface Command {
  readonly id: string
  readonly args: readonly string[] | ((means: Means) => readonly string[])
}

const command = (id: string, args: Command['args']): Command => ({ id, args })
const line = (id: string, text: string): Command => ({ id, args: text.split(' ') })

const NEW = ['--address', '127.0.0.1:9', '--path-regexp', '^/made.*$'] as const
const create = (id: string, ...args: readonly string[]) =>
  command(`create.${id}`, ['services', 'create', '--name', id, ...NEW, '--price', '9', ...args])
const update = (id: string, ...args: readonly string[]) =>
  command(`update.${id}`, ['services', 'update', '--name', 'full', ...args])
const transactions = (id: string, text = '') =>
  line(`transactions.${id}`, `transactions list${text}`)
const EVER = '2020-01-01T00:00:00Z --to 2120-01-01T00:00:00+02:00'
const PAST = '2020-01-01T00:00:00Z --to 2020-01-02T00:00:00Z'
const BACK = '2020-01-02T00:00:00Z --to 2020-01-01T00:00:00Z'

const ABOUT: readonly Command[] = [
  line('info', 'info'),
  line('info.human', 'info --human'),
  line('health', 'health --json'),
  line('health.human', 'health --human'),
  line('both-formats', 'info --json --human'),
  line('unknown-flag', 'info --what'),
  line('version', 'version'),
  line('schema', 'schema --all'),
]

const SERVICES: readonly Command[] = [
  line('services.configured', 'services list'),
  line('services.configured-human', 'services list --human'),
  create('full', '--host-regexp', '^made[.]test$', '--auth', 'on', '--protocol', 'https'),
  create('plain'),
  create('human', '--human'),
  create('priceless', '--price', '0'),
  create('open', '--auth', 'off'),
  create('trial-upper', '--auth', 'Freebie 3'),
  create('dry', '--dry-run'),
  create('weather'),
  create('plain'),
  create('auth-maybe', '--auth', 'Maybe'),
  create('freebie-word', '--auth', 'freebie many'),
  create('freebie-none', '--auth', 'freebie 0'),
  create('price-below', '--price', '-1'),
  create('protocol-ftp', '--protocol', 'ftp'),
  create('protocol-empty', '--protocol', ''),
  create('host-broken', '--host-regexp', '(a'),
  create('path-broken', '--path-regexp', '[a'),
  create('host-long', '--host-regexp', 'a'.repeat(1_025)),
  create('path-long', '--path-regexp', 'a'.repeat(1_025)),
  create('', '--address', 'x:1'),
  create('address-empty', '--address', ''),
  create('spaced name'),
  line('services.made', 'services list'),
  line('services.made-human', 'services list --human'),
]

const CHANGES: readonly Command[] = [
  update('price', '--price', '12'),
  update('price-none', '--price', '0'),
  update('price-below', '--price', '-3'),
  update('target', '--address', '127.0.0.1:10', '--protocol', 'http'),
  update('patterns', '--host-regexp', 'h.*', '--path-regexp', '^/changed$'),
  update('auth', '--auth', 'FREEBIE 2'),
  update('human', '--auth', 'on', '--human'),
  update('nothing'),
  update('empty-texts', '--address', '', '--auth', '', '--path-regexp', ''),
  update('dry', '--price', '1', '--dry-run'),
  update('auth-maybe', '--auth', 'maybe'),
  update('protocol-ftp', '--protocol', 'ftp'),
  update('host-broken', '--host-regexp', '*'),
  update('path-broken', '--path-regexp', '(?<a'),
  line('update.configured', 'services update --name news --price 8'),
  line('update.unknown', 'services update --name nobody --price 8'),
  line('update.unknown-wrong', 'services update --name nobody --price -8'),
  command('update.unnamed', ['services', 'update', '--price', '8']),
  line('delete.dry', 'services delete --name full --dry-run'),
  line('delete', 'services delete --name full'),
  line('delete.human', 'services delete --name human --human'),
  line('delete.again', 'services delete --name full'),
  line('delete.configured', 'services delete --name trial'),
  line('delete.unnamed', 'services delete'),
  line('services.changed', 'services list'),
]

const SALES: readonly Command[] = [
  transactions('all'),
  transactions('human', ' --human'),
  transactions('service', ' --service weather'),
  transactions('service-unknown', ' --service nobody'),
  transactions('pending', ' --state pending'),
  transactions('settled', ' --state settled --human'),
  transactions('both', ' --state settled --service news'),
  transactions('state-odd', ' --state odd'),
  transactions('ever', ` --from ${EVER}`),
  transactions('past', ` --from ${PAST}`),
  transactions('back', ` --from ${BACK}`),
  transactions('from-alone', ' --from 2020-01-01T00:00:00Z'),
  transactions('to-alone', ' --to 2020-01-01T00:00:00Z'),
  transactions('from-no-time', ' --from yesterday --to 2020-01-01T00:00:00Z'),
  transactions('to-no-time', ' --from 2020-01-01T00:00:00Z --to 2020-01-01'),
  transactions('limit', ' --limit 1'),
  transactions('limit-below', ' --limit -1'),
  transactions('limit-beyond', ' --limit 5000'),
  transactions('page', ' --limit 2 --offset 1'),
  transactions('beyond', ' --offset 50'),
  transactions('offset-below', ' --offset -1'),
  line('tokens.all', 'tokens list'),
  line('tokens.human', 'tokens list --human'),
  line('tokens.limit', 'tokens list --limit 1 --offset 1'),
  line('tokens.limit-below', 'tokens list --limit -1'),
  line('tokens.offset-below', 'tokens list --offset -1'),
  line('stats.all', 'stats'),
  line('stats.human', 'stats --human'),
  line('stats.ever', `stats --from ${EVER}`),
  line('stats.past', `stats --from ${PAST}`),
  line('stats.past-human', `stats --from ${PAST} --human`),
  line('stats.back', `stats --from ${BACK}`),
  line('stats.from-alone', 'stats --from 2020-01-01T00:00:00Z'),
  line('stats.from-no-time', `stats --from ${EVER.replace('Z', '')}`),
  line('stats.to-no-time', 'stats --from 2020-01-01T00:00:00Z --to tomorrow'),
]

const REVOKED: readonly Command[] = [
  line('revoke.no-hex', 'tokens revoke --token-id xyz'),
  line('revoke.short', 'tokens revoke --token-id 00ff'),
  line('revoke.unknown', `tokens revoke --token-id ${'00'.repeat(32)}`),
  line('revoke.unnamed', 'tokens revoke'),
  command('revoke.dry', ({ weather }) => ['tokens', 'revoke', '--token-id', weather, '--dry-run']),
  command('revoke', ({ weather }) => ['tokens', 'revoke', '--token-id', weather]),
  command('revoke.again', ({ weather }) => ['tokens', 'revoke', '--token-id', weather]),
  command('revoke.human', ({ news }) => ['tokens', 'revoke', '--token-id', news, '--human']),
  line('tokens.revoked', 'tokens list'),
  line('transactions.revoked', 'transactions list'),
  line('stats.revoked', 'stats'),
]

/** What comes out otherwise is last, so that nothing after it comes out otherwise because of it. */
const OTHERWISE: readonly Command[] = [
  create('auth-true', '--auth', 'true'),
  create('auth-empty', '--auth', ''),
  create('price-beyond', '--price', '99999999999999'),
  create('protocol-h2c', '--protocol', 'h2c'),
  create('path-empty', '--path-regexp', ''),
  create('path-reserved', '--path-regexp', '^/api/.*$'),
  line('update.path-reserved', 'services update --name plain --path-regexp .*'),
]

const REFUSED: readonly Command[] = [
  line('macaroon.other', 'info --macaroon @other.macaroon'),
  line('macaroon.other-health', 'health --macaroon @other.macaroon'),
  line('macaroon.broken', 'info --macaroon @aperture.yaml'),
  line('macaroon.missing', 'info --macaroon @nothing'),
  line('timeout', 'info --timeout 1ns'),
]

/** All of them. */
export const COMMANDS: readonly Command[] = [
  ...ABOUT,
  ...SERVICES,
  ...CHANGES,
  ...SALES,
  ...REVOKED,
  ...REFUSED,
  ...OTHERWISE,
]

/** A call of the REST face. */
export interface Call {
  readonly id: string
  readonly method: string
  /** Below `/api/admin`. */
  readonly target: string
  readonly body?: string
  /** Without the macaroon. */
  readonly bare?: boolean
}

const call = (id: string, text: string, body?: string): Call => {
  const [method = '', target = ''] = text.split(' ')
  return { id: `rest.${id}`, method, target, ...(body === undefined ? {} : { body }) }
}

const SERVICE = '"name":"rest","address":"127.0.0.1:9","path_regexp":"^/rest$","price":"3"'

/** What is asked by REST, before the commands. */
export const CALLS: readonly Call[] = [
  call('info', 'GET /info'),
  { ...call('info-bare', 'GET /info'), bare: true },
  { ...call('health', 'GET /health'), bare: true },
  call('services', 'GET /services'),
  call('create', 'POST /services', `{${SERVICE}}`),
  call('create-camel', 'POST /services', '{"name":"camel","address":"x:1","pathRegexp":"^/c$"}'),
  call('create-scheme', 'POST /services', `{${SERVICE},"auth_scheme":"AUTH_SCHEME_MPP"}`),
  call('create-unknown-field', 'POST /services', '{"nam":"x"}'),
  call('create-no-json', 'POST /services', '{"name":'),
  call('create-list', 'POST /services', '[]'),
  call('create-empty', 'POST /services', ''),
  call('update', 'PUT /services/rest', '{"price":4,"auth":"off"}'),
  call('update-unknown', 'PUT /services/nobody', '{"price":4}'),
  call('delete', 'DELETE /services/rest'),
  call('delete-camel', 'DELETE /services/camel'),
  call('delete-again', 'DELETE /services/rest'),
  call('transactions', 'GET /transactions?state=settled&limit=1'),
  call('transactions-odd', 'GET /transactions?state=odd'),
  call('transactions-unknown', 'GET /transactions?what=1'),
  call('transactions-no-number', 'GET /transactions?limit=many'),
  call('tokens', 'GET /tokens?offset=1'),
  call('revoke-short', 'DELETE /tokens/00'),
  call('stats', 'GET /stats'),
  call('stats-from', 'GET /stats?from=2020-01-01T00:00:00Z'),
  call('method', 'PUT /info'),
  call('path', 'GET /nothing'),
]
