import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test, { after } from 'node:test'
import { ERROR_CODES, PinholeError } from '../../src/base/errors.ts'
import { commandTree, withBelow } from '../../src/cli/command-tree.ts'
import { COMMANDS } from '../../src/cli/commands.ts'
import { exitCodeOf } from '../../src/cli/exit.ts'
import { type Output, writeError, writeResult } from '../../src/cli/output.ts'
import { run } from '../../src/cli/program.ts'
import { VERSION } from '../../src/version.ts'

const folder = mkdtempSync(path.join(os.tmpdir(), 'pinhole-cli-'))
after(() => rmSync(folder, { recursive: true }))

function capture(isTTY = false): { output: Output; out: () => string; err: () => string } {
  const texts = { out: '', err: '' }
  const output = {
    stdout: { isTTY, write: (text: string) => void (texts.out += text) },
    stderr: { isTTY, write: (text: string) => void (texts.err += text) },
  }
  return { output, out: () => texts.out, err: () => texts.err }
}

async function pinhole(...args: readonly string[]) {
  const { output, out, err } = capture()
  return { code: await run(args, output), out: out(), err: err() }
}

test('--help goes to stdout, has examples and the environment, and ends with 0', async () => {
  const { code, out, err } = await pinhole('--help')
  assert.equal(code, 0)
  assert.equal(err, '')
  for (const part of [/^ {2}start +run the hub$/m, /Examples:/, /PINHOLE_BASEDIR/, /Exit codes/]) {
    assert.match(out, part)
  }
})

test('the summaries of the help are those of the commands', async () => {
  const { commands } = await commandTree()
  assert.deepEqual(
    commands.map(({ name, summary }) => [name, summary]),
    Object.entries(COMMANDS).map(([name, { summary }]) => [name, summary]),
  )
})

test('docs/cli.md has every command', async () => {
  const page = readFileSync(path.resolve(import.meta.dirname, '../../docs/cli.md'), 'utf8')
  for (const { name, commands } of (await commandTree()).commands) {
    const row = page
      .split('\n')
      .find((line) => line.startsWith('| `') && line.includes(`\`${name}`))
    assert.ok(row, name)
    if (name === 'node') continue
    for (const below of commands) assert.match(row, new RegExp(`\\b${below.name}\``), below.path)
  }
})

test('every command has words for people, a help, a base folder and JSON', async () => {
  for (const { path: at, summary, flags, commands } of withBelow(await commandTree())) {
    assert.match(summary, /\w/, at)
    assert.ok(
      flags.some(({ names }) => names.includes('--help')),
      at,
    )
    if (commands.length > 0) continue
    for (const flag of ['--basedir', '--json']) {
      assert.ok(
        flags.some(({ names }) => names.includes(flag)),
        `${at} ${flag}`,
      )
    }
  }
})

test('start --help shows the flags that matter and says where the others are', async () => {
  const { code, out } = await pinhole('start', '--help')
  assert.equal(code, 0)
  assert.match(out, /--hashmail\.enabled/)
  assert.match(out, /sample-conf\.yaml/)
  assert.doesNotMatch(out, /etcd/)
  assert.ok(out.split('\n').length < 40, 'longer than a screen')
})

test('--version is that of the package', async () => {
  assert.deepEqual(await pinhole('--version'), { code: 0, out: `${VERSION}\n`, err: '' })
  assert.match(VERSION, /^\d+\.\d+\.\d+/)
})

test('no command shows the help on stderr and is wrong usage', async () => {
  const { code, out, err } = await pinhole()
  assert.equal(code, 2)
  assert.equal(out, '')
  assert.match(err, /Usage: pinhole/)
})

test('an unknown command or flag names the nearest and ends with 2', async () => {
  const command = await pinhole('strat')
  assert.equal(command.code, 2)
  assert.match(
    command.err,
    /^pinhole: unknown command 'strat'\n\(Did you mean start\?\)\nSee pinhole --help\.\n$/,
  )
  const flag = await pinhole('start', '--hashmail.enabld')
  assert.equal(flag.code, 2)
  assert.match(
    flag.err,
    /unknown option '--hashmail\.enabld'\n\(Did you mean --hashmail\.enabled\?\)/,
  )
  assert.equal((await pinhole('start', '--listenaddr')).code, 2)
  assert.equal((await pinhole('start', 'stray')).code, 2)
})

test('wrong usage is said in JSON too', async () => {
  const { code, out, err } = await pinhole('start', '--hashmail.enabld', '--json')
  assert.deepEqual([code, out], [2, ''])
  assert.match(err, /^{"error":{"code":"ERR_CLI_USAGE","message":"unknown option [^\n]*}}\n$/)
})

test('a wrong configuration says where, what to do and where to read on, and ends with 1', async () => {
  const file = path.join(folder, 'pinhole.yaml')
  writeFileSync(file, 'hashmail:\n  enabeld: true\nlistenaddr: nowhere\n')
  const { code, err } = await pinhole('start', '--configfile', file)
  assert.equal(code, 1)
  assert.deepEqual(err.split('\n'), [
    'pinhole:',
    `  ${file}:2:3: hashmail.enabeld: unknown key; did you mean enabled?`,
    `  ${file}:3:13: listenaddr: must be an address such as localhost:8081, 0.0.0.0:8081 or [::]:8081, not "nowhere"`,
    'Remove the key or correct its spelling; sample-conf.yaml names every key.',
    'ERR_CONFIG_KEY, see docs/errors.md#err_config_key',
    '',
  ])
})

test('with --json an error is JSON', async () => {
  const file = path.join(folder, 'none.yaml')
  const { code, err } = await pinhole('start', '--json', '--configfile', file)
  assert.equal(code, 1)
  assert.deepEqual(JSON.parse(err), {
    error: {
      code: 'ERR_CONFIG_FILE',
      message: `the configuration file ${file} does not exist`,
      advice: 'Name an existing, readable file with --configfile.',
      docs: 'docs/errors.md#err_config_file',
    },
  })
})

test('a wrong value of a flag names the flag', async () => {
  const { code, err } = await pinhole('start', '--basedir', folder, '--configfile=', '--profile=x')
  assert.equal(code, 1)
  assert.match(err, /command line, --profile: profile: must be a whole number/)
})

test('results are words on a terminal, JSON elsewhere and with --json', () => {
  const shown = (isTTY: boolean, json: boolean) => {
    const { output, out } = capture(isTTY)
    writeResult(output, { address: 'http://a', boxes: 3 }, json)
    return out()
  }
  assert.equal(shown(true, false), 'address  http://a\nboxes  3\n')
  assert.equal(shown(false, false), '{"address":"http://a","boxes":3}\n')
  assert.equal(shown(true, true), shown(false, false))
})

test('every code has an exit code, those of the network 3, of rights 4, of things missing 5', () => {
  const codes = new Set(ERROR_CODES.map(exitCodeOf))
  assert.deepEqual([...codes].sort(), [1, 2, 3, 4, 5])
  assert.equal(exitCodeOf('ERR_RELAY_UNREACHABLE'), 3)
  assert.equal(exitCodeOf('ERR_NODE_PERMISSION'), 4)
  assert.equal(exitCodeOf('ERR_SESSION_NOT_FOUND'), 5)
  assert.equal(exitCodeOf('ERR_LISTEN_ADDRESS'), 1)
})

test('an error of no kind of ours is general', () => {
  const { output, err } = capture()
  assert.equal(writeError(output, new Error('odd'), false), 1)
  assert.equal(err(), 'pinhole: odd\n')
  assert.equal(writeError(output, new PinholeError('ERR_CLI_USAGE', 'x'), false), 2)
})
