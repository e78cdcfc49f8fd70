import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import { gzipSync } from 'node:zlib'

import { build, type Metafile } from 'esbuild'

const root = path.resolve(import.meta.dirname, '../..')

/** What the README says may be off by so much before it is to be corrected. */
const TOLERANCE = 0.03

/** The README's figures, in bytes. */
function stated(): { raw: number; gzip: number } {
  const readme = readFileSync(path.join(root, 'README.md'), 'utf8')
  const [, raw, gzip] = /(\d+) kB of script, (\d+) kB with gzip/.exec(readme) ?? []
  return { raw: Number(raw) * 1_000, gzip: Number(gzip) * 1_000 }
}

const isAbout = (bytes: number, said: number): boolean => Math.abs(bytes / said - 1) <= TOLERANCE

async function bundle(entry: string): Promise<{ code: Uint8Array; metafile: Metafile }> {
  const result = await build({
    entryPoints: [path.join(root, entry)],
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    write: false,
    metafile: true,
    logLevel: 'silent',
  })
  const [file] = result.outputFiles
  assert.ok(file)
  return { code: file.contents, metafile: result.metafile }
}

test('a browser bundle of pinhole/lnc/browser holds no module of Node and weighs what the README says', async () => {
  const { code, metafile } = await bundle('mailbox/browser.ts')
  const inputs = Object.keys(metafile.inputs)
  assert.deepEqual(
    inputs.filter((input) => /node_modules\/(ws|@grpc|@connectrpc\/connect-node)\//.test(input)),
    [],
  )
  assert.doesNotMatch(new TextDecoder().decode(code), /["']node:/)
  const gzip = gzipSync(code).length
  console.log(`pinhole/lnc/browser: ${code.length} bytes, ${gzip} with gzip`)
  const { raw: saidRaw, gzip: saidGzip } = stated()
  assert.ok(isAbout(code.length, saidRaw), `${code.length} bytes, the README says ${saidRaw}`)
  assert.ok(isAbout(gzip, saidGzip), `${gzip} bytes with gzip, the README says ${saidGzip}`)
})

test("Node's entry cannot be bundled for a browser: the check above can fail", async () => {
  await assert.rejects(
    bundle('mailbox/index.ts'),
    /Could not resolve "node:|No matching export|"net"/,
  )
})
