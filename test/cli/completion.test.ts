import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import test from 'node:test'
import { commandTree, withBelow } from '../../src/cli/command-tree.ts'
import { pinhole } from './pinhole.ts'

const scriptOf = async (shell: string) => (await pinhole('completion', shell)).out

/** What bash would offer for the last of `words`. */
function offered(script: string, ...lines: readonly (readonly string[])[]): string[][] {
  const tries = lines.map((words) => {
    const quoted = words.map((word) => `'${word}'`).join(' ')
    return `COMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _pinhole; echo "\${COMPREPLY[*]}"`
  })
  const text = execFileSync('bash', ['-c', `${script}\n${tries.join('\n')}`], { encoding: 'utf8' })
  return text
    .split('\n')
    .slice(0, lines.length)
    .map((line) => line.split(' ').filter((word) => word !== ''))
}

test('bash completes commands, flags and the values of flags', async () => {
  const script = await scriptOf('bash')
  const [top, below, flags, level, keys, shells, file, text, free] = offered(
    script,
    ['pinhole', 'se'],
    ['pinhole', 'service', ''],
    ['pinhole', 'service', 'list', '--h'],
    ['pinhole', 'logs', '--level', ''],
    ['pinhole', 'start', '--hashmail.maxb'],
    ['pinhole', 'completion', ''],
    ['pinhole', 'info', '--tls-cert', ''],
    ['pinhole', 'info', '--hub', ''],
    ['pinhole', 'info', '--hub', 'x', '--j'],
  )
  assert.deepEqual(top, ['service'])
  assert.deepEqual(below, ['list', 'show', 'add', 'set', 'remove', 'prices', 'probe'])
  assert.deepEqual(flags, ['--hub', '--help'])
  assert.deepEqual(level, ['debug', 'info', 'warn', 'error'])
  assert.ok(keys?.includes('--hashmail.maxboxes'), 'keys that --help leaves out')
  assert.deepEqual(shells, ['bash', 'zsh', 'fish'])
  assert.deepEqual([file, text], [[], []])
  assert.deepEqual(free, ['--json'])
})

test('every command and flag is in the scripts of all shells', async () => {
  const [bash, zsh, fish] = await Promise.all(['bash', 'zsh', 'fish'].map(scriptOf))
  const all = withBelow(await commandTree())
  assert.ok(all.length > 30)
  for (const { path, flags } of all) {
    assert.ok(bash?.includes(`'${path}')`), path)
    assert.ok(zsh?.includes(`('${path}')`), path)
    assert.ok(fish?.includes(`-n '__pinhole_at \\'${path}\\'' -l help`), path)
    for (const name of flags.flatMap(({ names }) => names)) {
      assert.ok(bash?.includes(name) && zsh?.includes(`'${name}:`), `${path} ${name}`)
      const word = name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`
      assert.ok(fish?.includes(` ${word}`), `${path} ${name}`)
    }
  }
  // What is said of a flag may have quotes in it.
  assert.match(zsh ?? '', /'--node:node that is paid \(the hub'\\''s first\)'/)
  assert.match(fish ?? '', /-d 'node that is paid \(the hub\\'s first\)'/)
})

test('a shell that is not known is wrong usage', async () => {
  const { code, err } = await pinhole('completion', 'cmd')
  assert.equal(code, 2)
  assert.match(err, /Allowed choices are bash, zsh, fish/)
})
