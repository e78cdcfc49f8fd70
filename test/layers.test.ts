import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import test from 'node:test'

const root = path.resolve(import.meta.dirname, '..')

/** Which of our folders a file below each folder may import, besides its own (docs/architecture.md). */
const MAY_IMPORT: Record<string, readonly string[]> = {
  'src/base': [],
  'src/http2': ['src/base'],
  mailbox: ['src/base', 'src/http2'],
  proxy: ['src/base', 'src/http2'],
  'src/config': ['src/base'],
  src: ['src/base', 'src/http2', 'src/config', 'mailbox', 'proxy'],
}

const FOLDERS = Object.keys(MAY_IMPORT).sort((a, b) => b.length - a.length)
const folderOf = (file: string) => FOLDERS.find((folder) => file.startsWith(`${folder}/`))

function sources(folder: string): string[] {
  return readdirSync(path.join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
}

function importsOf(file: string): string[] {
  const source = readFileSync(path.join(root, file), 'utf8')
  const found = source.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*['"]([^'"]+)['"]/g)
  return [...found].map((match) => match[1] ?? '')
}

const edges = ['src', 'mailbox', 'proxy'].flatMap(sources).flatMap((file) =>
  importsOf(file)
    .filter((target) => target.startsWith('.'))
    .map((target) => ({ file, target: path.join(path.dirname(file), target) })),
)

test('folders import only what the architecture allows', () => {
  assert.ok(edges.length > 20, 'the scan found no imports: it is broken')
  const offending = edges.filter(({ file, target }) => {
    const from = folderOf(file)
    const to = folderOf(target)
    return from !== to && !(from && to && MAY_IMPORT[from]?.includes(to))
  })
  assert.deepEqual(
    offending.map(({ file, target }) => `${file} imports ${target}`),
    [],
  )
})

test('the mailbox relay and the LNC ends do not import each other', () => {
  const relay = (file: string) => file.startsWith('mailbox/relay/')
  const ends = (file: string) => /^mailbox\/(connect|listen|gbn|noise|transport|rpc)\//.test(file)
  const offending = edges.filter(
    ({ file, target }) => (relay(file) && ends(target)) || (ends(file) && relay(target)),
  )
  assert.deepEqual(
    offending.map(({ file, target }) => `${file} imports ${target}`),
    [],
  )
})

test('what a browser loads pulls in no node: module', () => {
  const seen = new Set<string>()
  const visit = (file: string): string[] => {
    if (seen.has(file)) return []
    seen.add(file)
    return importsOf(file).flatMap((target) => {
      if (target.startsWith('.')) return visit(path.join(path.dirname(file), target))
      return /^node:|^(ws|@grpc\/grpc-js|@connectrpc\/connect-node|pino|undici)$/.test(target)
        ? [`${file} imports ${target}`]
        : []
    })
  }
  assert.deepEqual(visit('mailbox/browser.ts'), [])
  assert.ok(seen.size > 10)
})
