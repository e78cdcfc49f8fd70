/**
 * Compiles all code into `.cache/compiled`, where `npm test` runs it: to start from source costs each of hundreds of
 * processes up to two seconds. Data lies around the code as it does in the sources.
 */
import { cpSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import { build, type Plugin } from 'esbuild'

const root = path.resolve(import.meta.dirname, '..')
const compiled = path.join(root, '.cache/compiled')
const FOLDERS = ['src', 'mailbox', 'proxy', 'test']

/** Leaves every import where it is, but for the ending of a source's name. */
const fileByFile: Plugin = {
  name: 'file by file',
  setup(builder) {
    builder.onResolve({ filter: /./ }, ({ kind, path: name }) =>
      kind === 'entry-point'
        ? undefined
        : { path: name.replace(/^(\..*)\.ts$/, '$1.js'), external: true },
    )
  },
}

rmSync(compiled, { recursive: true, force: true })
mkdirSync(compiled, { recursive: true })
// What browser tests leave is found at the root.
mkdirSync(path.join(root, 'test-artifacts'), { recursive: true })
for (const name of readdirSync(root)) {
  if (name === '.git' || name === 'web') continue
  if (FOLDERS.includes(name))
    cpSync(path.join(root, name), path.join(compiled, name), { recursive: true })
  else symlinkSync(path.join(root, name), path.join(compiled, name))
}
// A compiled hub serves the console from beside itself.
symlinkSync(path.join(root, 'dist/web'), path.join(compiled, 'web'))

await build({
  entryPoints: FOLDERS.map((folder) => path.join(root, folder, '**/*.ts')),
  outbase: root,
  outdir: compiled,
  plugins: [fileByFile],
  bundle: true,
  treeShaking: false,
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  sourcemap: 'linked',
  sourcesContent: false,
  logLevel: 'warning',
})
