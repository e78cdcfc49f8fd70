/** nginx in front of a hub, by the configuration that docs/reverse-proxy.md shows: what is sold, and LNC, through it. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import https from 'node:https'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import test, { type TestContext } from 'node:test'
import { connect } from '../../mailbox/index.ts'
import { silentLog } from '../../src/base/log.ts'
import { createSandbox, sandboxConfig } from '../../src/sandbox/sandbox.ts'
import { newPair } from '../listener/serving.ts'
import { freePort } from './relays.ts'

const root = path.resolve(import.meta.dirname, '../..')
const nginx = ['nginx', '/usr/sbin/nginx'].find((name) => spawnSync(name, ['-v']).status === 0)

/** The recipe, with nothing changed in it but addresses and files. */
function recipe(places: Readonly<Record<string, string>>): string {
  const text = readFileSync(path.join(root, 'docs/reverse-proxy.md'), 'utf8')
  const [, block = ''] = /^```nginx\n([\s\S]*?)^```/m.exec(text) ?? []
  let out = block
  for (const [written, here] of Object.entries(places)) {
    assert.ok(out.includes(written), `the recipe has no ${written}`)
    out = out.replaceAll(written, here)
  }
  return out
}

async function startNginx(t: TestContext, hub: string) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'pinhole-nginx-'))
  const { cert, key } = await newPair()
  writeFileSync(path.join(folder, 'cert.pem'), cert)
  writeFileSync(path.join(folder, 'key.pem'), key)
  const port = await freePort()
  const server = recipe({
    'listen 443 ssl http2': `listen 127.0.0.1:${port} ssl http2`,
    'server 127.0.0.1:8081': `server ${hub}`,
    'server_name api.example.com': 'server_name localhost',
    '/etc/nginx/tls/api.example.com.crt': path.join(folder, 'cert.pem'),
    '/etc/nginx/tls/api.example.com.key': path.join(folder, 'key.pem'),
  })
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  )
  const file = path.join(folder, 'nginx.conf')
  writeFileSync(
    file,
    `daemon off; pid ${folder}/pid; error_log ${folder}/error.log; events {}
    http { access_log off; ${temporary.join(' ')}\n${server} }`,
  )
  const running = spawn(nginx ?? '', ['-p', folder, '-e', `${folder}/error.log`, '-c', file], {
    stdio: 'ignore',
  })
  const ended = once(running, 'exit')
  t.after(async () => {
    running.kill('SIGTERM')
    await ended
    rmSync(folder, { recursive: true })
  })
  await Promise.race([
    opened(port),
    ended.then(() => assert.fail(readFileSync(path.join(folder, 'error.log'), 'utf8'))),
  ])
  return { port, cert, certFile: path.join(folder, 'cert.pem') }
}

async function opened(port: number): Promise<void> {
  for (let left = 100; left > 0; left--) {
    const socket = net.connect(port, '127.0.0.1')
    const [name] = await Promise.race([
      once(socket, 'connect').then(() => ['connect']),
      once(socket, 'close').then(() => ['close']),
    ]).catch(() => ['close'])
    socket.destroy()
    if (name === 'connect') return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  assert.fail('nginx does not listen')
}

async function get(url: string, ca: string, headers: Readonly<Record<string, string>> = {}) {
  const request = https.get(url, { ca, headers, agent: false })
  const [answer] = (await once(request, 'response')) as [IncomingMessage]
  const chunks: Buffer[] = []
  for await (const chunk of answer) chunks.push(chunk as Buffer)
  return {
    status: answer.statusCode,
    headers: answer.headers,
    body: Buffer.concat(chunks).toString(),
  }
}

test(
  'through nginx, as docs/reverse-proxy.md has it',
  { skip: !nginx && 'nginx is missing' },
  async (t) => {
    const config = sandboxConfig({ listenaddr: '127.0.0.1:0', trustproxy: ['127.0.0.1'] })
    const sandbox = createSandbox(config, silentLog)
    t.after(() => sandbox.close())
    const hub = new URL(await sandbox.listen()).host
    const { port, cert, certFile } = await startNginx(t, hub)
    const url = `https://localhost:${port}`

    await t.test('an unpaid request draws a 402 whose headers come through whole', async () => {
      const { status, headers } = await get(`${url}/paid`, cert)
      assert.equal(status, 402)
      assert.match(headers['www-authenticate'] ?? '', /L402 macaroon="\w.*invoice="lnbcrt.*token="/)
      // As long as a credential with dozens of caveats.
      const authorization = `L402 ${'A'.repeat(24_000)}:${'0'.repeat(64)}`
      assert.equal((await get(`${url}/paid`, cert, { authorization })).status, 402)
      assert.equal((await get(`${url}/free`, cert)).status, 200)
    })

    await t.test('a client pays over LNC through nginx, and is served', async () => {
      const basedir = mkdtempSync(path.join(os.tmpdir(), 'pinhole-buyer-'))
      t.after(() => rmSync(basedir, { recursive: true }))
      const words = ['fetch', `${url}/paid`, '--max-sats', '20', '--sandbox', '--include']
      const args = ['--import', 'tsx', 'src/cli/main.ts', ...words, '--basedir', basedir]
      const buyer = spawn(process.execPath, args, {
        cwd: root,
        env: { ...process.env, NODE_EXTRA_CA_CERTS: certFile },
      })
      let text = ''
      buyer.stdout.on('data', (chunk: Buffer) => (text += String(chunk)))
      buyer.stderr.on('data', (chunk: Buffer) => (text += String(chunk)))
      const [code] = (await once(buyer, 'close')) as [number | null]
      assert.equal(code, 0, text)
      assert.match(text, /200/)
    })

    await t.test('LNC goes through by gRPC, and by WebSocket', async () => {
      const phrase = sandbox.node?.phrase ?? ''
      const mailbox = `localhost:${port}`
      const first = await connect({ mailbox, phrase, transport: 'grpc', ca: cert })
      assert.equal((await first.getInfo()).alias, 'sandbox')
      const keys = first.keys
      await first.close()
      assert.ok(keys.remoteKey)
      const { localKey, remoteKey } = keys
      const again = await connect({
        mailbox,
        keys: { localKey, remoteKey },
        transport: 'websocket',
        ca: cert,
      })
      assert.equal((await again.getInfo()).alias, 'sandbox')
      await again.close()
    })
  },
)
