import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from '../fast-check.ts'
import { isAmbiguous, isOpenPath, isQuietPath, match, type Target } from '../../proxy/match.ts'
import { readPath } from '../../proxy/path.ts'
import { compilePattern } from '../../proxy/pattern.ts'
import type { Service } from '../../proxy/service.ts'
import { patterns, service } from './services.ts'

function target(url: string, host = 'api.test'): Target {
  const read = readPath(url)
  assert.ok(!('refused' in read), `${url} is refused`)
  return { host, method: 'GET', url, query: '', ...read }
}

const named = (name: string, host: string, path: string, more: Partial<Service> = {}) =>
  service({
    name,
    host: host === '' ? undefined : compilePattern(host),
    path: path === '' ? undefined : compilePattern(path),
    ...more,
  })

describe('matching', () => {
  const services = [
    named('v6', '^\\[::1\\]:8081$', ''),
    named('hosted', '^shop\\.test(:\\d+)?$', '^/a'),
    named('paid', '.*', '^/paid.*$'),
    named('spaced', '', '^/with space$'),
    named('first', '', '^/order'),
    named('second', '', '^/order'),
  ]
  const CASES: readonly [host: string, url: string, name: string | undefined][] = [
    ['[::1]:8081', '/', 'v6'],
    ['shop.test', '/a', 'hosted'],
    ['shop.test:443', '/a', 'hosted'],
    ['shop.test:443', '/paid', 'paid'],
    ['SHOP.test', '/a', undefined],
    ['xshop.test', '/a', undefined],
    ['', '/paid/x', 'paid'],
    ['h', '/with%20space', 'spaced'],
    ['h', '/with+space', undefined],
    ['h', '/order/1', 'first'],
    ['h', '/nope', undefined],
  ]
  for (const [host, url, name] of CASES) {
    test(`${host}${url} is for ${name ?? 'nobody'}`, () => {
      assert.equal(match(services, target(url, host))?.name, name)
    })
  }

  test('open and quiet paths are looked up decoded', () => {
    const lists = service({ openPaths: patterns('^/a b$', '^/c'), quietPaths: patterns('^/q/') })
    assert.equal(isOpenPath(lists, target('/a%20b')), true)
    assert.equal(isOpenPath(lists, target('/c/d')), true)
    assert.equal(isOpenPath(lists, target('/q/x')), false)
    assert.equal(isQuietPath(lists, target('/q%2Fx')), true)
    assert.equal(isQuietPath(lists, target('/c')), false)
  })
})

describe('ambiguous paths', () => {
  const paid = named('paid', '', '^/paid(/.*)?$', {
    openPaths: patterns('^/paid/open/[^/]+$'),
    quietPaths: patterns('^/paid/quiet/'),
    rateLimits: [
      { path: compilePattern('^/paid/slow/'), requests: 1, perMs: 1_000, burst: 1 },
      { path: undefined, requests: 9, perMs: 1_000, burst: 9 },
    ],
  })
  const services = [paid, named('rest', '', '.*', { auth: { level: 'off' } })]
  const CASES: readonly [url: string, ambiguous: boolean][] = [
    ['/paid', false],
    ['/paid/a%2Fb', false],
    ['/other/a%2Fb//c;d', false],
    // Another service.
    ['/paid%2Fx', true],
    ['//paid', true],
    ['/%2Fpaid/x', true],
    ['/paid;x', true],
    ['/;x/paid', true],
    // Another rule of the service.
    ['/paid/open/a%2Fb', true],
    ['/paid/open/a;b', false],
    ['/paid/quiet%2Fx', true],
    ['/paid//quiet/x', true],
    ['/paid/slow%2Fx', true],
    ['/paid/fast%2Fx', false],
  ]
  for (const [url, ambiguous] of CASES) {
    test(`${url} is ${ambiguous ? 'refused' : 'served'}`, () => {
      assert.equal(isAmbiguous(services, target(url)), ambiguous)
    })
  }

  test('a path that only one reading gives to a service is ambiguous', () => {
    assert.equal(isAmbiguous([paid], target('//paid')), true)
    assert.equal(isAmbiguous([paid], target('//nope')), false)
  })

  const bare = (segment: string) => segment.replace(/;.*$/, '')
  const merged = (path: string) => path.replace(/\/+/g, '/')

  /** How servers decode a path that has no dot segments, each by itself. */
  const SERVERS: readonly ((url: string) => string)[] = [
    (url) => decodeURIComponent(url),
    (url) => decodeURIComponent(new URL(`http://host${url}`).pathname),
    (url) => url.split(/%2f/i).map(decodeURIComponent).join('%2F'),
    (url) => merged(decodeURIComponent(url)),
    (url) => decodeURIComponent(url).split('/').map(bare).join('/'),
    (url) => merged(url.split('/').map(decodeURIComponent).map(bare).join('/')),
  ]

  /** What such a server would serve it as, by the same rules. */
  const decision = (all: readonly Service[], path: string) => {
    const found = all.find((one) => !one.path || one.path.test(path))
    const lists = found && [found.openPaths, found.quietPaths]
    return JSON.stringify([found?.name, lists?.map((list) => list.some((one) => one.test(path)))])
  }

  const piece = fc.constantFrom(
    ...['/', '/', '/', '%2F', '%2f', '%2e', '..', '.', ';', '%3b', '%41', 'x'],
    ...['a', 'paid', 'free', 'open', 'quiet', '%25', '%252F', '%70aid'],
  )
  const source = fc.constantFrom(
    ...[
      '^/paid',
      '^/paid/.*$',
      '^/paid$',
      '^/free/[^/]+$',
      '^/a/?$',
      'open',
      '^/[^/]*$',
      'x',
      '^/$',
      '//',
    ],
  )
  const anyService = fc
    .record({
      path: source,
      open: fc.array(source, { maxLength: 2 }),
      quiet: fc.array(source, { maxLength: 2 }),
    })
    .map(({ path, open, quiet }) => ({
      path: compilePattern(path),
      openPaths: patterns(...open),
      quietPaths: patterns(...quiet),
    }))

  test('what is matched is what the upstream serves, however it decodes', () => {
    let served = 0
    const property = fc.property(
      fc.array(anyService, { minLength: 1, maxLength: 4 }),
      fc.array(piece, { maxLength: 8 }),
      (parts, pieces) => {
        const url = `/${pieces.join('')}`
        const read = readPath(url)
        if ('refused' in read) return
        const all = parts.map((part, index) => service({ ...part, name: `s${index}` }))
        const sent = target(url)
        if (isAmbiguous(all, sent)) return
        served++
        const found = match(all, sent)
        const matched = JSON.stringify([
          found?.name,
          found && [isOpenPath(found, sent), isQuietPath(found, sent)],
        ])
        for (const serve of SERVERS) {
          const path = serve(url)
          assert.equal(matched, decision(all, path), `${url} as ${path}`)
        }
      },
    )
    fc.assert(property, { numRuns: 4_000 })
    assert.ok(served > 2_000, `only ${served} were served`)
  })
})
