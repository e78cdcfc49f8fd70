/** One configuration for Aperture and for Pinhole. */

/** What the configuration is filled with. */
export interface Places {
  readonly port: number
  /** Folder of the database, and of `secret.bin`. */
  readonly folder: string
  readonly h1: number
  readonly h2: number
  readonly dead: number
  /** The certificate of `h2`, for a proxy that looks at it. */
  readonly certificate: string
  /** An lnd that is reached directly. */
  readonly lnd: { readonly host: string; readonly tlspath: string; readonly macdir: string }
}

/** What `secret.bin` holds. */
export const SECRET = Buffer.from('\u0000\u0001secret\u00ff', 'latin1')

interface Entry {
  readonly name: string
  readonly path?: string
  readonly host?: string
  readonly auth: string
  readonly price?: number
  readonly to?: 'h1' | 'h2' | 'dead'
  readonly more?: readonly string[]
}

const SERVICES: readonly Entry[] = [
  { name: 'hostport', host: '^hp\\.test:8080$', auth: 'off', more: ['headers: {X-Svc: hostport}'] },
  {
    name: 'hostonly',
    host: '^hostonly\\.test$',
    auth: 'off',
    more: ['headers: {X-Svc: hostonly}'],
  },
  { name: 'order1', path: '^/order/first.*$', auth: 'off', more: ['headers: {X-Svc: order1}'] },
  { name: 'order2', path: '^/order/.*$', auth: 'off', more: ['headers: {X-Svc: order2}'] },
  { name: 'open', path: '^/open.*$', auth: 'off' },
  { name: 'paid', path: '^/paid.*$', auth: 'on', price: 10, more: ['timeout: 31557600'] },
  {
    name: 'second',
    path: '^/second.*$',
    auth: 'on',
    price: 7,
    more: ['capabilities: read,write', 'constraints: {region: eu, plan: 1682483169}'],
  },
  { name: 'free2', path: '^/free2.*$', auth: 'freebie 2', price: 4 },
  {
    name: 'wl',
    path: '^/wl.*$',
    auth: 'on',
    price: 4,
    more: ['authwhitelistpaths: [^/wl/public/.*$, /anywhere/]'],
  },
  {
    name: 'skip',
    path: '^/skip.*$',
    auth: 'on',
    price: 4,
    more: ['authskipinvoicecreationpaths: [^/skip/quiet.*$]'],
  },
  { name: 'noprice', path: '^/noprice.*$', auth: 'on' },
  { name: 'rw', path: '^/rw/.*$', auth: 'off', more: ['rewrite: {prefix: /api/v2}'] },
  {
    name: 'hdr',
    path: '^/hdr/.*$',
    auth: 'off',
    more: [
      'headers:',
      '  X-Static: from config',
      '  X-Number: 42',
      "  X-File-Hex: '!file+hex:@FOLDER@/secret.bin'",
      "  Grpc-Metadata-Other: '!file+base64:@FOLDER@/secret.bin'",
    ],
  },
  { name: 'rl', path: '^/rl/.*$', auth: 'off', more: ['ratelimits: [{requests: 3, per: 1h}]'] },
  {
    name: 'rlgrpc',
    path: '^/rl\\.Svc/.*$',
    auth: 'off',
    to: 'h2',
    more: ['ratelimits: [{requests: 1, per: 1h}]'],
  },
  { name: 'grpcopen', path: '^/dt\\.Echo/.*$', auth: 'off', to: 'h2' },
  {
    name: 'grpcpaid',
    path: '^/dt\\.Paid/.*$',
    auth: 'on',
    price: 5,
    to: 'h2',
    more: [
      'authwhitelistpaths: [^/dt\\.Paid/Meta$]',
      'authskipinvoicecreationpaths: [^/dt\\.Paid/Fail$]',
    ],
  },
  { name: 'dead', path: '^/dead/.*$', auth: 'off', to: 'dead' },
  { name: 'deadgrpc', path: '^/dead\\.Svc/.*$', auth: 'off', to: 'dead' },
]

/** The YAML of both. */
export function configuration(places: Places): string {
  const { port, folder, lnd } = places
  const head = [
    `listenaddr: 127.0.0.1:${port}`,
    'insecure: true',
    'dbbackend: sqlite',
    'sqlite:',
    `  databasefilename: '${folder}/tokens.db'`,
    'authenticator:',
    `  lndhost: '${lnd.host}'`,
    `  tlspath: '${lnd.tlspath}'`,
    `  macdir: '${lnd.macdir}'`,
    '  network: simnet',
    'blocklist: [127.250.0.9]',
    'services:',
  ]
  return `${[...head, ...SERVICES.flatMap((entry) => service(entry, places))].join('\n')}\n`
}

function service(entry: Entry, places: Places): string[] {
  const { to = 'h1', host = '.*', path, price, more = [] } = entry
  const lines = [
    `name: ${entry.name}`,
    `hostregexp: '${host}'`,
    ...(path === undefined ? [] : [`pathregexp: '${path}'`]),
    `address: 127.0.0.1:${places[to]}`,
    ...(to === 'h2'
      ? ['protocol: https', `tlscertpath: '${places.certificate}'`]
      : ['protocol: http']),
    `auth: '${entry.auth}'`,
    ...(price === undefined ? [] : [`price: ${price}`]),
    ...more.map((line) => line.replaceAll('@FOLDER@', places.folder)),
  ]
  return lines.map((line, n) => `${n === 0 ? '- ' : '  '}${line}`)
}
