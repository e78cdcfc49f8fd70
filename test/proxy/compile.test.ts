import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from '../fast-check.ts'
import { type CompileDeps, compileService, compileServices } from '../../proxy/compile.ts'
import type { ServiceConfig } from '../../proxy/service-config.ts'
import { newKey, selfSign } from '../../src/certificate/self-signed.ts'
import { isPinholeError } from '../../src/base/errors.ts'
import { serviceConfig } from './services.ts'

const SECRET = 'hunter2'
const FILES: Readonly<Record<string, Uint8Array>> = {
  '/macaroon': Uint8Array.of(0x02, 0xab, 0xff),
  '/cert.pem': Buffer.from(''),
  '/not-a-cert': Buffer.from('x'),
  '/broken.pem': Buffer.from('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'),
}
const deps: CompileDeps = {
  env: { TOKEN: SECRET, EMPTY: '', LINES: 'a\r\nb', FILE: '!file+hex:/macaroon' },
  readFile(path) {
    const bytes = FILES[path]
    if (!bytes) throw Object.assign(new Error(`no such file ${path}`), { code: 'ENOENT' })
    return bytes
  },
}
const compile = (values: Partial<ServiceConfig> = {}) => compileService(serviceConfig(values), deps)

/** Compiles and returns what the error says. */
function complaint(values: Partial<ServiceConfig>): string {
  try {
    compile(values)
  } catch (error) {
    assert.ok(isPinholeError(error, 'ERR_CONFIG_VALUE'), String(error))
    assert.ok(!error.message.includes(SECRET), 'a secret is shown')
    return error.message
  }
  assert.fail(`${JSON.stringify(values)} was taken`)
}

describe('a service', () => {
  test('with nothing but a name and an address', () => {
    const service = compile()
    assert.equal(service.name, 'paid')
    assert.equal(service.host, undefined)
    assert.equal(service.path, undefined)
    assert.deepEqual(service.upstream, {
      protocol: 'http',
      address: '127.0.0.1:8080',
      certificate: undefined,
      insecureTls: false,
      timeouts: { connectMs: 10_000, headerMs: 60_000, bodyMs: 300_000, idleMs: 60_000 },
    })
    assert.equal(service.priceMsat, 1_000n, '0 is 1 satoshi')
    assert.equal(service.node, undefined)
    assert.deepEqual(service.headers, [])
  })

  test('with everything', () => {
    const service = compile({
      hostregexp: '^h$',
      pathregexp: '^/p',
      auth: { level: 'freebie', free: 3 },
      authscheme: 'l402+mpp',
      timeout: 60,
      capabilities: 'read,write',
      constraints: { paid_valid_until: '1', b: '2' },
      price: 10_000_000_000_000,
      authwhitelistpaths: ['^/o'],
      authskipinvoicecreationpaths: ['^/q'],
      ratelimits: [
        { pathregexp: '^/r', requests: 5, per: 1_000, burst: 0 },
        { pathregexp: '', requests: 5, per: 1_000, burst: 7 },
      ],
      rewrite: { prefix: '/api//v2/' },
      node: 'shop',
      forwardcredential: true,
      forwardoptions: true,
    })
    assert.equal(service.host?.test('h'), true)
    assert.equal(service.path?.test('/x'), false)
    assert.deepEqual(service.auth, { level: 'freebie', free: 3 })
    assert.equal(service.priceMsat, 10n ** 16n)
    assert.equal(service.timeoutSeconds, 60)
    assert.equal(service.capabilities, 'read,write')
    assert.deepEqual(service.constraints, [
      ['paid_valid_until', '1'],
      ['b', '2'],
    ])
    assert.equal(service.openPaths[0]?.test('/o'), true)
    assert.equal(service.quietPaths[0]?.test('/q'), true)
    const [first, second] = service.rateLimits
    assert.equal(first?.path?.test('/r'), true)
    assert.deepEqual([first?.burst, second?.path, second?.burst], [5, undefined, 7])
    assert.equal(service.rewritePrefix, '/api/v2')
    assert.equal(service.node, 'shop')
    assert.equal(service.forwardCredential && service.forwardOptions, true)
  })

  test('is frozen throughout', () => {
    const service = compile({
      hostregexp: 'h',
      headers: { a: 'b' },
      constraints: { c: 'd' },
      authwhitelistpaths: ['x'],
      ratelimits: [{ pathregexp: 'x', requests: 1, per: 1, burst: 0 }],
    })
    const check = (value: unknown) => {
      if (typeof value !== 'object' || value === null) return
      assert.ok(Object.isFrozen(value), String(Object.keys(value)))
      Object.values(value).forEach(check)
    }
    check(service)
  })
})

describe('addresses of upstreams', () => {
  const READ: readonly [address: string, protocol: ServiceConfig['protocol'], read: string][] = [
    ['127.0.0.1:8080', 'http', '127.0.0.1:8080'],
    ['[::1]:8080', 'h2c', '[::1]:8080'],
    ['api.internal', 'http', 'api.internal:80'],
    ['api_1.internal', 'https', 'api_1.internal:443'],
    ['unix:/run/api.sock', 'http', 'unix:/run/api.sock'],
    ['unix:///run/api.sock', 'h2c', 'unix:/run/api.sock'],
    ['unix:api.sock', 'http', 'unix:api.sock'],
  ]
  for (const [address, protocol, read] of READ) {
    test(`${address} by ${protocol}`, () => {
      assert.equal(compile({ address, protocol }).upstream.address, read)
    })
  }

  const REFUSED = [
    '',
    'http://h:1',
    'h:0',
    'h:65536',
    'h:x',
    '::1',
    'h:1/x',
    ':80',
    'unix:',
    'a b:1',
    'u@h:1',
  ]
  for (const address of REFUSED) {
    test(`${JSON.stringify(address)} is refused`, () => {
      assert.match(complaint({ address }), /^service "paid": address: must be host:port, .*, not "/)
    })
  }

  test('a certificate is read and must be one', async () => {
    const subject = { hostname: 'h', names: [], addresses: [] }
    const cert = await selfSign(newKey(), subject, Date.UTC(2026, 0, 1))
    const readFile = () => Buffer.from(cert)
    const service = compileService(serviceConfig({ tlscertpath: '/c', protocol: 'https' }), {
      ...deps,
      readFile,
    })
    assert.equal(service.upstream.certificate, cert)
    for (const tlscertpath of ['/none', '/not-a-cert', '/broken.pem', '/cert.pem']) {
      assert.match(
        complaint({ tlscertpath }),
        /^service "paid": tlscertpath: must name a readable PEM/,
      )
    }
  })
})

describe('headers for the upstream', () => {
  test('are expanded, read from files, and named in lower case', () => {
    const { headers } = compile({
      headers: {
        'X-Token': 'Bearer ${TOKEN} $TOKEN ${',
        'X-Hex': '!file+hex:/macaroon',
        'X-B64': '!file+base64:/macaroon',
        'X-Env-File': '${FILE}',
        'X-Utf8': ' é ',
      },
    })
    assert.deepEqual(Object.fromEntries(headers), {
      'x-token': `Bearer ${SECRET} $TOKEN \${`,
      'x-hex': '02abff',
      'x-b64': 'Aqv/',
      'x-env-file': '02abff',
      'x-utf8': '\xc3\xa9',
    })
  })

  const REFUSED: readonly [name: string, value: string, says: RegExp][] = [
    [
      'X-A',
      '${NONE}',
      /^service "paid": headers\.X-A: environment variable NONE is not set or empty/,
    ],
    ['X-A', '${TOKEN}${EMPTY}', /environment variable EMPTY is not set/],
    [
      'X-A',
      '!file+hex:/nowhere',
      /headers\.X-A: cannot read the file of "!file\+hex:\/nowhere": ENOENT/,
    ],
    ['X-A', '!file:/macaroon', /!file\+hex:PATH or !file\+base64:PATH/],
    ['X-A', '!file+hex:C:/macaroon', /!file\+hex:PATH/],
    ['X-A', '${LINES}', /no line ends/],
    ['X A', 'x', /must be one of an HTTP header/],
    [':path', '/x', /must be one of an HTTP header/],
    ['', 'x', /must be one of an HTTP header/],
    ['Content-Length', '0', /belongs to the connection/],
    ['transfer-encoding', 'chunked', /belongs to the connection/],
    ['Host', 'h', /belongs to the connection/],
  ]
  for (const [name, value, says] of REFUSED) {
    test(`${name}: ${value} is refused`, () => {
      assert.match(complaint({ headers: { [name]: value } }), says)
    })
  }

  test('one header twice is refused', () => {
    assert.match(complaint({ headers: { 'X-A': '1', 'x-a': '2' } }), /named twice/)
  })

  test('no line end gets through, and no secret into an error', () => {
    const value = fc.array(
      fc.constantFrom(
        '${TOKEN}',
        '${LINES}',
        '${NONE}',
        '!file+hex:/macaroon',
        '!file',
        'a',
        '\r',
        '\n',
        '\0',
        '$',
        '{',
        '}',
        ' ',
      ),
    )
    const property = fc.property(value, (parts) => {
      try {
        const [header] = compile({ headers: { 'x-a': parts.join('') } }).headers
        assert.doesNotMatch(header?.[1] ?? '', /[\x00-\x08\x0a-\x1f]/)
      } catch (error) {
        assert.ok(isPinholeError(error, 'ERR_CONFIG_VALUE'), 'another error')
        assert.ok(!error.message.includes(SECRET), 'a secret is shown')
      }
    })
    fc.assert(property, { numRuns: 1_000 })
  })
})

describe('what is refused says why', () => {
  const REFUSED: readonly [values: Partial<ServiceConfig>, says: RegExp][] = [
    [
      { hostregexp: '(' },
      /^service "paid": hostregexp: must be a regular expression in Go's RE2 syntax, not "\(": .*missing closing \)/,
    ],
    [{ pathregexp: '(?=x)' }, /^service "paid": pathregexp: must be/],
    [{ authwhitelistpaths: ['x', '['] }, /^service "paid": authwhitelistpaths\[1\]: must be/],
    [{ authskipinvoicecreationpaths: ['*'] }, /authskipinvoicecreationpaths\[0\]: must be/],
    [
      { ratelimits: [{ pathregexp: '+', requests: 1, per: 1, burst: 0 }] },
      /ratelimits\[0\]\.pathregexp: must be/,
    ],
    [{ name: '' }, /^service without a name at 127.0.0.1:8080: name: must be given/],
    [{ name: 'a:b' }, /^service "a:b": name: must have no colon, comma or equals sign/],
    [{ name: 'a,b' }, /must have no colon/],
    [{ name: 'a=b' }, /must have no colon/],
    [{ name: 'a\nb', auth: { level: 'off' } }, /no control characters/],
    [
      { authscheme: 'mpp' },
      /authscheme: must be left out or contain l402, not "mpp": this version sells by L402 only/,
    ],
    [{ authscheme: 'onn' }, /authscheme: must be left out/],
    [{ dynamicprice: { enabled: false, metered: true } }, /dynamicprice.metered: must be false/],
    [{ rewrite: { prefix: 'api' } }, /rewrite.prefix: must be an absolute/],
    [{ rewrite: { prefix: '/a/../b' } }, /rewrite.prefix: must be an absolute/],
    [{ rewrite: { prefix: '/a/%2e%2E' } }, /rewrite.prefix: must be an absolute/],
    [{ rewrite: { prefix: '/a b' } }, /rewrite.prefix: must be an absolute/],
    [{ rewrite: { prefix: '/a?b' } }, /rewrite.prefix: must be an absolute/],
  ]
  for (const [values, says] of REFUSED) {
    test(JSON.stringify(values), () => assert.match(complaint(values), says))
  }

  test('a service that sells nothing needs no name and no scheme', () => {
    assert.equal(compile({ name: '', auth: { level: 'off' }, authscheme: 'mpp' }).name, '')
    assert.equal(compile({ name: 'a:b', auth: { level: 'off' } }).name, 'a:b')
  })
})

describe('services', () => {
  const off = { auth: { level: 'off' } } as const

  test('keep their order, and a name is that of one only', () => {
    const configs = [serviceConfig({ name: 'b' }), serviceConfig({ name: 'a' })]
    assert.deepEqual(
      compileServices(configs, deps).map(({ name }) => name),
      ['b', 'a'],
    )
    assert.throws(
      () => compileServices([...configs, serviceConfig({ name: 'b' })], deps),
      (error) =>
        isPinholeError(error, 'ERR_CONFIG_VALUE') &&
        error.message.startsWith('service "b": name: must be the name of one service only'),
    )
  })

  test('may be several without a name, if they sell nothing', () => {
    const nameless = serviceConfig({ name: '', ...off })
    assert.equal(compileServices([nameless, nameless], deps).length, 2)
  })
})
