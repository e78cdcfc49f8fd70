/** What deploy/ and the Dockerfile name exists, and is allowed no more than it needs. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test from 'node:test'
import { parse } from 'yaml'
import { z } from 'zod'
import { adminHub } from '../admin/hub.ts'

const root = path.resolve(import.meta.dirname, '../..')
const read = (file: string) => readFileSync(path.join(root, file), 'utf8')

/** Instructions of the Dockerfile, continued lines joined. */
const instructions = read('Dockerfile')
  .replaceAll(/^#.*\n/gm, '')
  .replaceAll(/\\\n\s*/g, '')
  .split('\n')
  .filter((line) => line !== '')

test('the image is built from what the checkout has, and .dockerignore lets it in', () => {
  const allowed = read('.dockerignore')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1))
  for (const name of allowed) assert.ok(existsSync(path.join(root, name)), name)
  const copied = instructions
    .filter((line) => line.startsWith('COPY '))
    .flatMap((line) => line.split(' ').slice(1, -1))
    .filter((word) => !word.startsWith('--') && word !== '.')
    .map((word) => word.replace(/^\/src\//, ''))
  assert.ok(copied.length > 5)
  for (const name of copied.filter((one) => one !== 'dist' && one !== 'node_modules')) {
    assert.ok(
      allowed.some((one) => one === name || name.startsWith(`${one}/`)),
      name,
    )
  }
  const { include } = z
    .object({ include: z.array(z.string()) })
    .parse(JSON.parse(read('tsconfig.build.json')))
  for (const name of include) assert.ok(allowed.includes(name), name)
})

test('the image runs what the package runs, as a user without rights, and looks after its health', () => {
  const last = instructions.slice(instructions.findLastIndex((line) => line.startsWith('FROM ')))
  const of = (name: string) =>
    last.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1)
  assert.equal(instructions.filter((line) => line.startsWith('FROM ')).length, 2)
  assert.equal(of('USER'), 'node')
  assert.equal(of('VOLUME'), '/data')
  const { bin } = z
    .object({ bin: z.object({ pinhole: z.string() }) })
    .parse(JSON.parse(read('package.json')))
  assert.equal(of('ENTRYPOINT'), `["node", "/app/${bin.pinhole}"]`)
  assert.match(
    of('HEALTHCHECK') ?? '',
    /CMD \["node", "\/app\/deploy\/health\.mjs", "localhost:8081"\]$/,
  )
  assert.equal(of('CMD'), '["start", "--listenaddr=0.0.0.0:8081"]')
})

test('compose: files exist, every container is bounded, the node publishes no port', () => {
  const service = z.object({
    command: z.array(z.string()),
    volumes: z.array(z.string()),
    ports: z.array(z.string()).optional(),
    cap_drop: z.array(z.string()),
    security_opt: z.array(z.string()),
    read_only: z.boolean().optional(),
  })
  const file = z
    .object({
      services: z.object({ pinhole: service, litd: service }),
      volumes: z.record(z.string(), z.null()),
    })
    .parse(parse(read('deploy/compose.yaml')))
  const { pinhole, litd } = file.services
  for (const { cap_drop, security_opt } of [pinhole, litd]) {
    assert.deepEqual(cap_drop, ['ALL'])
    assert.deepEqual(security_opt, ['no-new-privileges:true'])
  }
  assert.equal(pinhole.read_only, true)
  assert.equal(litd.ports, undefined)
  for (const volume of [...pinhole.volumes, ...litd.volumes]) {
    const [from = ''] = volume.split(':')
    if (from.startsWith('.')) assert.ok(existsSync(path.join(root, 'deploy', from)), from)
    else assert.ok(from in file.volumes, from)
  }
})

test('the unit leaves the hub what it needs', () => {
  const unit = read('deploy/pinhole.service')
  const families = /^RestrictAddressFamilies=(.*)$/m.exec(unit)?.[1]?.split(' ')
  // Without AF_NETLINK Node cannot name the machine's addresses, and there is no certificate.
  assert.deepEqual(families, ['AF_INET', 'AF_INET6', 'AF_UNIX', 'AF_NETLINK'])
  // V8 ends at once under it.
  assert.doesNotMatch(unit, /^MemoryDenyWriteExecute=/m)
})

test('systemd takes the units', (t) => {
  if (spawnSync('systemd-analyze', ['--version']).status !== 0) {
    t.skip('systemd-analyze is missing')
    return
  }
  const folder = mkdtempSync(path.join(os.tmpdir(), 'pinhole-units-'))
  t.after(() => rmSync(folder, { recursive: true }))
  for (const name of ['pinhole.service', 'pinhole-health.service', 'pinhole-health.timer']) {
    // What is not installed here stands for itself.
    const unit = read(`deploy/${name}`)
      .replaceAll('/usr/bin/pinhole', '/bin/true')
      .replaceAll('/usr/bin/systemctl', '/bin/true')
      .replaceAll('/usr/bin/node', '/bin/true')
    writeFileSync(path.join(folder, name), unit)
  }
  for (const name of ['pinhole.service', 'pinhole-health.service', 'pinhole-health.timer']) {
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', path.join(folder, name)], {
      encoding: 'utf8',
      timeout: 20_000,
    })
    assert.deepEqual([status, stderr], [0, ''], name)
  }
  const args = [
    'security',
    '--offline=true',
    '--threshold=20',
    path.join(folder, 'pinhole.service'),
  ]
  assert.equal(spawnSync('systemd-analyze', args).status, 0, 'an exposure above 2.0')
})

test('the health check says of a hub whether it answers', async (t) => {
  const { url, hub } = await adminHub(t)
  const ended = spawnSync(process.execPath, ['--version'])
  const ask = async (...args: readonly string[]) => {
    const script = path.join(root, 'deploy/health.mjs')
    const asking = spawn(process.execPath, [script, ...args], { stdio: 'ignore' })
    const [code] = (await once(asking, 'exit')) as [number | null]
    return code
  }
  const { host } = new URL(url)
  assert.equal(await ask(host), 0)
  assert.equal(await ask(url), 0)
  await hub.close()
  assert.equal(await ask(host), 1)
  // A process that has ended is not waited for.
  assert.equal(await ask(host, '1000', String(ended.pid)), 1)
})

test('the package has what its documentation names', () => {
  const { files, publishConfig, engines } = z
    .object({
      files: z.array(z.string()),
      publishConfig: z.object({ access: z.string(), provenance: z.boolean() }),
      engines: z.object({ node: z.string() }),
    })
    .parse(JSON.parse(read('package.json')))
  for (const name of ['dist', 'docs', 'deploy', 'sample-conf.yaml']) assert.ok(files.includes(name))
  assert.deepEqual(publishConfig, { access: 'public', provenance: true })
  assert.equal(engines.node, '>=20.19.0')
  // npm publishes no command whose path begins with a dot.
  const { bin, exports, allowScripts } = z
    .object({
      bin: z.object({ pinhole: z.string().regex(/^dist\//) }),
      exports: z.record(
        z.string(),
        z.union([z.string(), z.object({ types: z.string(), default: z.string() })]),
      ),
      allowScripts: z.record(z.string(), z.boolean()),
    })
    .parse(JSON.parse(read('package.json')))
  // Tools look a package up by its own description.
  assert.equal(exports['./package.json'], './package.json')
  const built = Object.values(exports).flatMap((one) =>
    typeof one === 'string' ? [] : [one.types, one.default],
  )
  for (const file of [bin.pinhole, ...built]) {
    const source = file.replace(/^(\.\/)?dist\//, '').replace(/\.(d\.ts|js)$/, '.ts')
    assert.ok(existsSync(path.join(root, source)), file)
  }
  assert.deepEqual(allowScripts, { 'better-sqlite3': true })
})
