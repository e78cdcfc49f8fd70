/** What the README shows must work: its code compiles, its configuration loads, its commands exist. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import test from 'node:test'

import ts from 'typescript'

import { readDocument } from '../src/config/document.ts'
import { loadConfig } from '../src/config/load.ts'
import { run } from '../src/cli/program.ts'

const root = path.resolve(import.meta.dirname, '..')
const readme = readFileSync(path.join(root, 'README.md'), 'utf8')

function blocks(language: string): string[] {
  const found = readme.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))
  return [...found].map((match) => match[1] ?? '')
}

/** Compiles `sources` as if they stood beside the README, with the package's own names; complaints by source. */
function complaints(sources: readonly string[]): string[][] {
  const files = sources.map((_, index) => path.join(root, `readme-snippet-${index}.ts`))
  const sourceIn = (name: string) => sources[files.indexOf(name)]
  const read = (name: string) => ts.sys.readFile(name)
  const { config } = ts.readConfigFile(path.join(root, 'tsconfig.json'), read) as {
    config: { compilerOptions: Record<string, unknown> }
  }
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root)
  const host = ts.createCompilerHost(options)
  const sourceOf = host.getSourceFile.bind(host)
  host.getSourceFile = (name, target) => {
    const source = sourceIn(name)
    return source === undefined ? sourceOf(name, target) : ts.createSourceFile(name, source, target)
  }
  const exists = host.fileExists.bind(host)
  host.fileExists = (name) => sourceIn(name) !== undefined || exists(name)
  const names = {
    pinhole: ['./src/index.ts'],
    'pinhole/lnc': ['./mailbox/index.ts'],
    'pinhole/lnc/browser': ['./mailbox/browser.ts'],
    'pinhole/client': ['./src/client/index.ts'],
    'pinhole/admin': ['./src/admin/index.ts'],
  }
  const program = ts.createProgram(files, { ...options, noEmit: true, paths: names }, host)
  return files.map((file) => {
    const source = program.getSourceFile(file)
    return [
      ...program.getSyntacticDiagnostics(source),
      ...program.getSemanticDiagnostics(source),
    ].map((problem) => ts.flattenDiagnosticMessageText(problem.messageText, '\n'))
  })
}

test('the code in the README compiles', () => {
  const code = blocks('ts')
  assert.ok(code.length > 0)
  const wrong = `import { conect } from 'pinhole/lnc'; conect()`
  const [ofWrong, ...found] = complaints([wrong, ...code])
  assert.notDeepEqual(ofWrong, [])
  for (const [index, source] of code.entries()) assert.deepEqual(found[index], [], source)
})

test('the configuration in the README loads', () => {
  const files = blocks('yaml')
  assert.ok(files.length > 0)
  for (const yaml of files) {
    const { root: values } = readDocument(yaml, 'README.md')
    const config = loadConfig({ configfile: false, values })
    assert.ok(config.hashmail.enabled || config.services.length > 0)
  }
})

test('the commands in the README exist, with their flags', async () => {
  const lines = blocks('sh').join('').replaceAll('\\\n', ' ').split('\n')
  const ours = lines.filter((line) => line.startsWith('pinhole '))
  assert.ok(ours.length >= 2)
  for (const line of ours) {
    const [, name = '', ...words] = line.split(/\s+/)
    let help = ''
    const stdout = { write: (text: string) => (help += text) }
    assert.equal(await run([name, '--help'], { stdout, stderr: stdout }), 0, line)
    for (const word of words.filter((one) => one.startsWith('--'))) {
      const flag = word.replace(/=.*/, '')
      assert.match(help, new RegExp(`${flag}\\b`), `${line}: no ${flag}`)
    }
  }
})
