import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from '../fast-check.ts'
import { readPath } from '../../proxy/path.ts'

const pathOf = (raw: string) => {
  const read = readPath(raw)
  return 'refused' in read ? undefined : read.path
}

describe('paths', () => {
  const READ: readonly [raw: string, path: string][] = [
    ['/', '/'],
    ['/paid/x', '/paid/x'],
    ['/looprpc.SwapServer/Quote', '/looprpc.SwapServer/Quote'],
    ['/a%20b', '/a b'],
    ['/a+b', '/a+b'],
    ['/%7Ec%20d', '/~c d'],
    ['/x%2Fy', '/x/y'],
    ['//x//', '//x//'],
    ['/%c3%a9', '/é'],
    ['/%EF%BB%BFx', '/\ufeffx'],
    ['/%F0%9F%98%80', '/\u{1f600}'],
    ['/a%3fb%23c', '/a?b#c'],
    // Decoded once, as the upstream does.
    ['/%252e%252e/x', '/%2e%2e/x'],
    ['/%252f', '/%2f'],
    ['/%25%32%66', '/%2f'],
    ['/.well-known/x', '/.well-known/x'],
    ['/...', '/...'],
    ['/a..b/..c/d..', '/a..b/..c/d..'],
    ['/a;v=1/b', '/a;v=1/b'],
  ]
  for (const [raw, path] of READ) {
    test(`${JSON.stringify(raw)} is ${path}`, () => assert.equal(pathOf(raw), path))
  }

  const REFUSED = [
    ...[
      '/..',
      '/.',
      '/../x',
      '/a/./b',
      '/a/..',
      '/a/../',
      '/%2e%2e/x',
      '/%2E./x',
      '/.%2e',
      '/a/%2e',
    ],
    ...['/a%2f..%2fb', '/a%2F.', '/a/..;/b', '/a/.;x=1', '/..%3bx/y'],
    ...['/a\\b', '/a%5cb', '/%5C..%5c', '/a%00', '/%00', '/a%0ab', '/%0d', '/%7f', '/%1b'],
    ...['/%', '/a%', '/%2', '/%zz', '/%u0041', '/%%20', '/a%2/b', '/%-1'],
    ...['/%ff', '/%c3', '/%c0%ae%c0%ae/x', '/%c0%af', '/%ed%a0%80', '/%f8%88%80%80%80'],
    '/%e2%2f%28',
  ]
  for (const raw of REFUSED) {
    test(`${JSON.stringify(raw)} is refused`, () => assert.equal(pathOf(raw), undefined))
  }

  test('an ordinary path has one reading, others have what servers make of them', () => {
    const readings = (raw: string) => {
      const read = readPath(raw)
      assert.ok(!('refused' in read))
      return [...read.readings].sort()
    }
    assert.deepEqual(readings('/paid/x'), [])
    assert.deepEqual(readings('/a%20b'), [])
    assert.deepEqual(readings('/a%2fb'), ['/a%2fb'])
    assert.deepEqual(readings('/a%2Fb%252f'), ['/a%2Fb%2f'])
    assert.deepEqual(readings('//a'), ['/a'])
    assert.deepEqual(readings('/a;v/b'), ['/a/b'])
    const all = ['//a%2F', '//a/', '/;x/a%2F', '/a%2F', '/a/']
    assert.deepEqual(readings('/;x/a%2F'), all)
  })

  const piece = fc.constantFrom(
    ...[
      '/',
      '/',
      '.',
      '..',
      '%2e',
      '%2E',
      '%2f',
      '%2F',
      '%5c',
      '\\',
      '%00',
      '%25',
      '%',
      '%c3',
      '%a9',
      '%0a',
    ],
    ...[
      '%c0%ae',
      '%252e',
      '%252f',
      ';',
      'a',
      'b',
      '~',
      '%41',
      '%ef%bf%bd',
      'é',
      '\x80',
      ':',
      '@',
      '%3b',
    ],
  )
  const raw = fc.oneof(
    fc.array(piece, { maxLength: 12 }).map((pieces) => `/${pieces.join('')}`),
    fc.string({ unit: 'binary', maxLength: 20 }).map((text) => `/${text}`),
  )

  test('what is read agrees with decodeURIComponent and with what a URL parser resolves', () => {
    let accepted = 0
    const property = fc.property(raw, (sent) => {
      const read = readPath(sent)
      if ('refused' in read || /[^\x21-\x7e]|[?#]/.test(sent)) return
      accepted++
      assert.equal(read.path, decodeURIComponent(sent))
      // Resolving dot segments, plain or encoded, changes nothing: there are none.
      assert.equal(decodeURIComponent(new URL(`http://host${sent}`).pathname), read.path)
      for (const reading of [read.path, ...read.readings]) {
        assert.ok(
          !reading.split('/').some((segment) => segment === '.' || segment === '..'),
          reading,
        )
        assert.ok(!/[\0\\\n]/.test(reading))
      }
    })
    fc.assert(property, { numRuns: 20_000 })
    assert.ok(accepted > 2_000, `only ${accepted} paths were read`)
  })

  test('what is refused is never plain', () => {
    const plain = fc.stringMatching(/^(\/[a-z0-9~_-]{1,8}){1,5}\/?$/)
    fc.assert(fc.property(plain, (path) => assert.equal(pathOf(path), path)))
  })

  test('a long path is read when there is one way to read it', () => {
    assert.equal(pathOf(`/${'a'.repeat(30_000)}`)?.length, 30_001)
    assert.equal(pathOf(`/${'%41'.repeat(10_000)}`)?.length, 10_001)
    assert.notEqual(pathOf(`/%2f${'a'.repeat(4_092)}`), undefined)
    assert.equal(pathOf(`/%2f${'a'.repeat(4_093)}`), undefined)
  })

  test('a long path takes time in proportion to its length', () => {
    const long = 65_536
    const hostile = ['/a', '/', '%2f', ';', '/;', '.', '/..a', '%41', '%c3%a9', '/a;b', '/.;a', '%']
    for (const part of hostile) {
      const path = `/${part.repeat(long / part.length)}`
      const start = process.hrtime.bigint()
      readPath(path)
      readPath(`${path} `)
      const ms = Number(process.hrtime.bigint() - start) / 1e6
      assert.ok(ms < 500, `${part}: ${ms} ms for 64 KiB`)
    }
  })
})
