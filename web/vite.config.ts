/** Builds the console into dist/web. */
import path from 'node:path'
import preact from '@preact/preset-vite'
import { defineConfig, type Plugin } from 'vite'
import { operations } from '../src/admin/contract.ts'

const OPERATIONS = 'pinhole:operations'

/** Methods and paths of the admin API, without the schemas, which would be larger than the console. */
const contract: Plugin = {
  name: OPERATIONS,
  resolveId: (id) => (id === OPERATIONS ? `\0${OPERATIONS}` : undefined),
  load(id) {
    if (id !== `\0${OPERATIONS}`) return undefined
    const table = Object.entries(operations).map(([name, { method, path: at }]) => [
      name,
      [method, at],
    ])
    return `export default ${JSON.stringify(Object.fromEntries(table))}`
  },
}

export default defineConfig({
  root: import.meta.dirname,
  base: './',
  plugins: [preact({ devToolsEnabled: false }), contract],
  build: {
    outDir: path.resolve(import.meta.dirname, '../dist/web'),
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: false,
    // An asset in a URL of its own: the policy allows data: for images alone.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
})
