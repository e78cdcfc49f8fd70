import assert from 'node:assert/strict'
import test from 'node:test'
import type { Log } from '../src/base/log.ts'
import { parseLevels } from '../src/config/log-levels.ts'
import { createLogger, type LoggerOptions } from '../src/logger.ts'

function record(options: Partial<LoggerOptions> = {}): { log: Log; lines: string[] } {
  const lines: string[] = []
  const sink = { write: (line: string) => void lines.push(line) }
  return { log: createLogger({ debuglevel: 'info', ...options }, sink), lines }
}

test('a line is JSON with level, time, fields and message', () => {
  const { log, lines } = record()
  log.child({ part: 'relay' }).warn({ boxes: 3 }, 'nearly full')
  const { time, ...line } = JSON.parse(lines[0] ?? '') as Record<string, unknown>
  assert.deepEqual(line, { level: 'warn', part: 'relay', boxes: 3, msg: 'nearly full' })
  assert.match(String(time), /^\d{4}-\d\d-\d\dT/)
})

test('secrets are taken out of lines and of children', () => {
  const { log, lines } = record({ debuglevel: 'trace' })
  const child = log.child({ session: { phrase: 'abandon ability able' } })
  for (const level of ['debug', 'info', 'warn', 'error'] as const) {
    child[level]({ headers: { authorization: 'L402 aaa:bbb' }, localKey: 'ff00' }, 'a request')
  }
  assert.equal(lines.length, 4)
  assert.doesNotMatch(lines.join(''), /abandon|aaa|ff00/)
})

test('an error is logged with code and cause and without its other fields', () => {
  const { log, lines } = record()
  const error = Object.assign(new Error('gone'), { code: 'EPIPE', token: 'secret-token' })
  log.error({ error }, 'failed')
  assert.match(lines[0] ?? '', /"error":\{"name":"Error","message":"gone","code":"EPIPE"\}/)
})

test('levels are for all, or for parts as lnd writes them', () => {
  const { log, lines } = record({ debuglevel: 'warn,RELAY=debug,listener=off' })
  log.info({}, 'no')
  log.child({ part: 'relay' }).debug({}, 'yes')
  log.child({ part: 'listener' }).error({}, 'no')
  log.child({ part: 'other' }).warn({}, 'yes too')
  const heard = lines.map((line) => (JSON.parse(line) as { msg: string }).msg)
  assert.deepEqual(heard, ['yes', 'yes too'])
})

test("Aperture's names of parts and levels are understood", () => {
  const levels = parseLevels('critical,PRXY=trace,HMAIL=off,MPAY=debug')
  assert.ok(typeof levels !== 'string')
  assert.equal(levels.all, 'critical')
  const byPart = [...levels.byPart]
  assert.deepEqual(byPart, [
    ['PROXY', 'trace'],
    ['PAYWALL', 'trace'],
    ['RELAY', 'off'],
  ])
})

test('what Aperture refuses as a level is refused, with what there is', () => {
  const wrong: readonly [string, RegExp][] = [
    ['loud', /"loud" is no level: use one of trace/],
    ['info,FOO=debug', /"FOO" is no part of the hub: use HUB, LISTENER/],
    ['info,constructor=debug', /"constructor" is no part/],
    ['PRXY=loud', /"loud" is no level/],
    ['info,PRXY=debug,warn', /"warn" is a second level for all/],
    ['info,', /"" is no level/],
    ['INFO', /"INFO" is no level/],
    ['PRXY', /"PRXY" is no level/],
  ]
  for (const [text, message] of wrong) {
    const said = parseLevels(text)
    assert.ok(typeof said === 'string', text)
    assert.match(said, message)
  }
  assert.ok(typeof parseLevels('') !== 'string')
})

test('HUB is what names no part', () => {
  const { log, lines } = record({ debuglevel: 'info,HUB=warn' })
  log.info({}, 'no')
  log.child({ simulated: true }).info({}, 'no')
  log.child({ part: 'relay' }).child({ box: 1 }).info({}, 'yes')
  assert.deepEqual(
    lines.map((line) => (JSON.parse(line) as { msg: string }).msg),
    ['yes'],
  )
})

test('lines for people are short, with or without time and colour', () => {
  const plain = record({ pretty: true })
  plain.log.child({ part: 'hub' }).info({ address: 'http://a', sections: ['x'] }, 'listens')
  assert.match(
    plain.lines[0] ?? '',
    /^\d\d:\d\d:\d\d info  hub: listens address=http:\/\/a sections=\["x"\]\n$/,
  )
  const bare = record({ pretty: true, timestamps: false, colours: true })
  bare.log.warn({}, 'careful')
  bare.log.info({}, 'fine')
  assert.deepEqual(bare.lines, ['\u001b[33mwarn  careful\u001b[0m\n', 'info  fine\n'])
})
