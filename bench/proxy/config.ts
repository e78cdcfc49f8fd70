/** One configuration for Aperture and Pinhole, and its like for nginx, which only forwards. */
import type { Maker } from '../../test/interop/ends.ts'
import type { Lnd } from '../../test/interop/lnd.ts'

/** Ports of the upstream. */
export interface Upstream {
  /** 900 bytes of JSON for every request without a body. */
  readonly small: number
  /** Bodies of any size, both ways. */
  readonly large: number
  /** The test service over TLS. */
  readonly grpc: number
}

/** Where invoices come from. */
export type NodePlace =
  | { readonly by: 'lnd'; readonly lnd: Lnd }
  | { readonly by: 'lnc'; readonly phrase: string; readonly mailbox: string }

/** What the configuration is filled with. */
export interface Place {
  readonly maker: Maker
  readonly port: number
  readonly folder: string
  readonly secure: boolean
  readonly node: NodePlace
  readonly upstream: Upstream
}

/** Certificate of the upstream's gRPC port, for whoever forwards to it. */
export const UPSTREAM_CERTIFICATE = new URL('../../test/aperture/backend.crt', import.meta.url)
  .pathname
export const UPSTREAM_KEY = UPSTREAM_CERTIFICATE.replace(/crt$/, 'key')

/** The one gRPC method that is called. */
export const GRPC_PATH = '/pinhole.test.Echo/Unary'

/** The YAML of both; neither writes a line for each request. */
export function configuration({ maker, port, folder, secure, node, upstream }: Place): string {
  const lines = [
    `listenaddr: 127.0.0.1:${port}`,
    ...(secure ? ['servername: localhost'] : ['insecure: true']),
    'debuglevel: error',
    'dbbackend: sqlite',
    `sqlite: {databasefilename: '${folder}/tokens.db'}`,
    'authenticator:',
    '  network: simnet',
    ...authenticator(node),
    ...(maker === 'pinhole' ? ALLOWANCE : []),
    'services:',
    ...service('open', '^/open.*$', upstream.small, ["auth: 'off'"]),
    ...service('paid', '^/paid.*$', upstream.small, ["auth: 'on'", 'price: 10']),
    ...service('large', '^/large.*$', upstream.large, ["auth: 'off'"]),
    ...service('grpc', '^/pinhole\\.test\\.Echo/.*$', upstream.grpc, [
      "auth: 'on'",
      'price: 10',
      'protocol: https',
      `tlscertpath: '${UPSTREAM_CERTIFICATE}'`,
    ]),
  ]
  return `${lines.join('\n')}\n`
}

// All load comes from one address, which stands for many.
const ALLOWANCE = ['invoices:', '  allowance: {peraddress: 0, perservice: 0, total: 0}']

function authenticator(node: NodePlace): string[] {
  if (node.by === 'lnc') {
    return [
      `  passphrase: '${node.phrase}'`,
      `  mailboxaddress: '${node.mailbox}'`,
      '  devserver: true',
    ]
  }
  const { grpcHost, tlsCertPath, macaroonFolder } = node.lnd
  return [
    `  lndhost: '${grpcHost}'`,
    `  tlspath: '${tlsCertPath}'`,
    `  macdir: '${macaroonFolder}'`,
  ]
}

function service(name: string, path: string, port: number, more: readonly string[]): string[] {
  const protocol = more.some((line) => line.startsWith('protocol:')) ? [] : ['protocol: http']
  const lines = [
    `name: ${name}`,
    "hostregexp: '.*'",
    `pathregexp: '${path}'`,
    `address: 127.0.0.1:${port}`,
    ...protocol,
    ...more,
  ]
  return lines.map((line, n) => `${n === 0 ? '- ' : '  '}${line}`)
}

/** nginx with two workers and kept-alive connections to the upstream, all in `folder`. */
export function nginxConfiguration(port: number, folder: string, upstream: Upstream): string {
  return `daemon off;
worker_processes 2;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log;
events { worker_connections 1024; }
http {
  access_log off;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${folder}/${name};`)
    .join('\n  ')}
  keepalive_requests 1000000000;
  upstream small { server 127.0.0.1:${upstream.small}; keepalive 64; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://small;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }
  }
}
`
}
