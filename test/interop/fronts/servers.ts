/** The servers that may stand in front of a hub, each a process of its own in a temporary folder, run by its recipe. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { newPair } from '../../listener/serving.ts'
import { freePort } from '../relays.ts'
import { recipe } from './recipes.ts'

const START_MS = 15_000
const POLL_MS = 50
const GRACE_MS = 2_000
const HUB = '127.0.0.1:8081'
const NAME = 'api.example.com'

/** Where a server is to run. */
interface Site {
  readonly folder: string
  readonly port: number
  /** `host:port` */
  readonly hub: string
}

/** A server and how it is told what its recipe says. */
export interface Front {
  readonly name: string
  /** Whether it ends TLS; otherwise it passes the hub's own through. */
  readonly ends: boolean
  readonly program: string
  readonly version: readonly string[]
  /** A Debian package that has what is missing. */
  readonly from: string
  /** Writes the files; the arguments to start it with. */
  readonly write: (site: Site) => readonly string[]
  /** The certificate to trust when it is neither the site's nor the hub's. */
  readonly authority?: (site: Site) => string
}

const put = (site: Site, name: string, text: string): string => {
  const file = path.join(site.folder, name)
  writeFileSync(file, text)
  return file
}

const STREAM_MODULE = '/usr/lib/nginx/modules/ngx_stream_module.so'

function nginx(site: Site, blocks: string, first = ''): readonly string[] {
  const { folder } = site
  const text = `${first} daemon off; pid ${folder}/pid; error_log ${folder}/log; events {}\n${blocks}`
  return ['-p', folder, '-e', `${folder}/log`, '-c', put(site, 'nginx.conf', text)]
}

function traefik(site: Site, mark: string, more: string): readonly string[] {
  const { folder, port, hub } = site
  put(site, 'dynamic.yaml', recipe('yaml', mark, { [HUB]: hub, [NAME]: 'localhost' }) + more)
  const entry = recipe('yaml', 'entryPoints:\n  websecure', { ':443': `127.0.0.1:${port}` })
  const rest = `providers: { file: { filename: ${folder}/dynamic.yaml } }\nglobal: { checkNewVersion: false }\n`
  return [`--configFile=${put(site, 'static.yaml', entry + rest)}`]
}

/** All of them, in the order of docs/reverse-proxy.md. */
export const FRONTS: readonly Front[] = [
  {
    ...{ name: 'nginx', program: 'nginx', version: ['-v'], from: 'nginx-light', ends: true },
    write: (site) => {
      const { folder, port, hub } = site
      const server = recipe('nginx', 'grpc_pass', {
        'listen 443 ssl http2': `listen 127.0.0.1:${port} ssl http2`,
        [`/etc/nginx/tls/${NAME}.crt`]: `${folder}/cert.pem`,
        [`/etc/nginx/tls/${NAME}.key`]: `${folder}/key.pem`,
        [NAME]: 'localhost',
        [HUB]: hub,
      })
      const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
        (name) => `${name}_temp_path ${folder}/${name};`,
      )
      return nginx(site, `http { access_log off; ${temporary.join(' ')}\n${server} }`)
    },
  },
  {
    ...{ name: 'nginx, passing TLS through', program: 'nginx', ends: false },
    version: existsSync(STREAM_MODULE) ? ['-v'] : ['-?'],
    from: 'libnginx-mod-stream',
    write: (site) => {
      const places = { 'listen 443': `listen 127.0.0.1:${site.port}`, [HUB]: site.hub }
      const server = recipe('nginx', 'ssl_preread', { ...places, [NAME]: 'localhost' })
      return nginx(site, `stream { ${server} }`, `load_module ${STREAM_MODULE};`)
    },
  },
  {
    ...{ name: 'Caddy', program: 'caddy', version: ['version'], from: 'caddy', ends: true },
    write: (site) => {
      const { folder, port, hub } = site
      // For localhost Caddy is its own authority.
      const own = `{
        admin off
        skip_install_trust
        https_port ${port}
        auto_https disable_redirects
        storage file_system ${folder}
        servers {
          protocols h1 h2
        }
      }`
      const server = recipe('caddyfile', 'reverse_proxy', { [NAME]: 'localhost', [HUB]: hub })
      const file = put(site, 'Caddyfile', `${own}\n${server}`)
      return ['run', '--adapter', 'caddyfile', '--config', file]
    },
    authority: ({ folder }) => `${folder}/pki/authorities/local/root.crt`,
  },
  {
    ...{ name: 'HAProxy', program: 'haproxy', version: ['-v'], from: 'haproxy', ends: true },
    write: (site) => {
      const { folder, port, hub } = site
      const text = recipe('haproxy', 'mode http', {
        'bind :443': `bind 127.0.0.1:${port}`,
        [`/etc/haproxy/${NAME}.pem`]: `${folder}/both.pem`,
        [HUB]: hub,
      })
      return ['-db', '-f', put(site, 'haproxy.cfg', text)]
    },
  },
  {
    ...{ name: 'HAProxy, passing TLS through', program: 'haproxy', from: 'haproxy', ends: false },
    version: ['-v'],
    write: (site) => {
      const places = { 'bind :443': `bind 127.0.0.1:${site.port}`, [HUB]: site.hub }
      const text = recipe('haproxy', 'mode tcp', { ...places, [NAME]: 'localhost' })
      return ['-db', '-f', put(site, 'haproxy.cfg', text)]
    },
  },
  {
    ...{ name: 'Traefik', program: 'traefik', version: ['version'], from: '', ends: true },
    write: (site) => {
      const { folder } = site
      const more = `tls: { certificates: [{ certFile: ${folder}/cert.pem, keyFile: ${folder}/key.pem }] }\n`
      return traefik(site, 'h2c://', more)
    },
  },
  {
    ...{ name: 'Traefik, passing TLS through', program: 'traefik', from: '', ends: false },
    version: ['version'],
    write: (site) => traefik(site, 'passthrough: true', ''),
  },
]

const programOf = ({ program }: Front): readonly string[] => [program, `/usr/sbin/${program}`]

/** Why a server cannot be run here; `undefined` when it can. */
export function missing(front: Front): string | undefined {
  const found = programOf(front).some((file) => spawnSync(file, front.version).status === 0)
  if (found) return undefined
  const { program, from } = front
  return `${program} is missing${from === '' ? '' : ` (Debian: ${from})`}`
}

/** Starts it; its port and the certificate to trust, which is the hub's where TLS is passed through. */
export async function start(
  t: TestContext,
  front: Front,
  hub: string,
): Promise<{ readonly port: number; readonly ca: string | undefined }> {
  const site = {
    folder: mkdtempSync(path.join(os.tmpdir(), 'pinhole-front-')),
    port: await freePort(),
    hub,
  }
  const { cert, key } = await newPair()
  put(site, 'cert.pem', cert)
  put(site, 'key.pem', key)
  put(site, 'both.pem', cert + key)
  const args = front.write(site)
  const command = programOf(front).find((file) => spawnSync(file, front.version).status === 0)
  const running = spawn(command ?? front.program, args, {
    env: { ...process.env, HOME: site.folder, XDG_DATA_HOME: site.folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const stream of [running.stdout, running.stderr]) {
    stream.on('data', (chunk: Buffer) => (said = (said + String(chunk)).slice(-4_000)))
  }
  const ended = once(running, 'exit')
  t.after(async () => {
    // By SIGTERM, or nginx would leave its workers behind.
    running.kill('SIGTERM')
    const late = setTimeout(() => running.kill('SIGKILL'), GRACE_MS)
    await ended
    clearTimeout(late)
    rmSync(site.folder, { recursive: true })
  })
  const gone = ended.then(() => assert.fail(`${front.name} ended: ${said}${logOf(site)}`))
  const authority = front.authority?.(site)
  await Promise.race([ready(site.port, authority), gone])
  const own = front.ends ? cert : undefined
  return { port: site.port, ca: authority ? readFileSync(authority, 'utf8') : own }
}

const logOf = ({ folder }: Site): string =>
  existsSync(`${folder}/log`) ? readFileSync(`${folder}/log`, 'utf8') : ''

async function ready(port: number, file: string | undefined): Promise<void> {
  const deadline = performance.now() + START_MS
  while (performance.now() < deadline) {
    if ((await accepts(port)) && (file === undefined || existsSync(file))) return
    await sleep(POLL_MS)
  }
  assert.fail('it does not listen')
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => resolve(true))
    socket.once('error', () => resolve(false)).once('connect', () => socket.destroy())
  })
}
