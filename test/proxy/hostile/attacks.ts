/** Requests that nobody means well with: bytes for a connection, and headers for HTTP/2. */
import fc from '../../fast-check.ts'

/** A token that somebody else has bought. */
export interface Stolen {
  readonly macaroon: Uint8Array
  readonly preimage: Uint8Array
}

/** What is tried once. */
export type Attack =
  | { readonly by: 'bytes'; readonly bytes: Buffer }
  | { readonly by: 'http2'; readonly headers: Readonly<Record<string, string>> }

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')

/** Text that fits into one line. */
const text = fc
  .string({ unit: 'binary-ascii', maxLength: 40 })
  .map((s) => s.replace(/[\r\n]/g, ' '))
const random = (minLength: number, maxLength: number) => fc.uint8Array({ minLength, maxLength })

const target = fc.oneof(
  fc.constantFrom('/paid/x', '/open/x', '/free/x', '/dead/x', '/_pinhole/health', '/none'),
  fc.constantFrom(
    ...[
      '/paid/x',
      '/open/x',
      '/free/x',
      '/dead/x',
      '/_pinhole/health',
      '/_pinhole/pay',
      '*',
      '',
      '/',
    ],
    ...[
      '//paid/x',
      '/%70aid/x',
      '/paid%2fx',
      '/open/../paid/x',
      '/open/%2e%2e/paid/x',
      '/open%2f..%2fpaid',
    ],
    ...[
      '/open/..%5cpaid',
      '/open\\..\\paid',
      '/open/%00',
      '/open/%',
      '/open/%zz',
      '/open/%ff',
      '/paid;x',
    ],
    ...[
      'http://self.test/paid/x',
      'http://u:p@self.test/paid/x',
      'https://[::1/paid',
      'self.test:443',
    ],
    ...[
      '/open/x?/../paid',
      '/open/x#/paid',
      '/open/x /paid',
      '/paid/x?preimage=1',
      '/./paid',
      '/PAID/x',
    ],
  ),
  text,
  text.map((rest) => `/paid/${rest}`),
  text.map((rest) => `/open/${rest}`),
  fc.constant(`/open/${'a'.repeat(20_000)}`),
)

/** Never a credential that opens anything: of macaroon and preimage one is always another's. */
function credential({ macaroon, preimage }: Stolen): fc.Arbitrary<string> {
  // Version, then the location, which nothing signs: type, length, text.
  const signed = 3 + (macaroon[2] ?? 0)
  const flipped = fc.integer({ min: signed * 8, max: macaroon.length * 8 - 1 }).map((bit) => {
    const bytes = Uint8Array.from(macaroon)
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    return bytes
  })
  const cut = fc.nat(macaroon.length - 1).map((end) => macaroon.slice(0, end))
  const longer = random(1, 64).map((more) => Buffer.concat([macaroon, more]))
  const spoilt = fc.oneof(flipped, cut, longer, random(0, 300))
  const scheme = fc.constantFrom('L402', 'LSAT', 'l402', 'Bearer', 'Basic', 'L402 L402', '')
  const separator = fc.constantFrom(':', '', '::', ' : ', ',')
  const withIt = fc.tuple(scheme, spoilt, separator).map(([word, bytes, between]) => {
    return `${word} ${base64(bytes)}${between}${hex(preimage)}`
  })
  const wrong = random(32, 32).map((other) => `L402 ${base64(macaroon)}:${hex(other)}`)
  const without = fc.constantFrom('', ':', ': ', `:${'0'.repeat(63)}`, ',', `:${'f'.repeat(9_000)}`)
  return fc.oneof(
    withIt,
    wrong,
    without.map((end) => `L402 ${base64(macaroon)}${end}`),
    text.map((rest) => `L402 ${rest}`),
    fc.constant(`L402 ${','.repeat(2_000)}`),
    fc.constant(
      Array(40)
        .fill(`LSAT ${base64(macaroon)}:`)
        .join(', '),
    ),
  )
}

function header(stolen: Stolen): fc.Arbitrary<readonly [name: string, value: string]> {
  const shown = credential(stolen)
  const pair = <T extends string>(name: T, value: fc.Arbitrary<string>) =>
    value.map((found) => [name, found] as const)
  return fc.oneof(
    pair('authorization', shown),
    pair('authorization', shown),
    pair('macaroon', fc.oneof(random(0, 200).map(hex), fc.constant(hex(stolen.macaroon)), text)),
    pair('grpc-metadata-macaroon', fc.oneof(text, fc.constant(hex(stolen.macaroon)))),
    pair(
      'cookie',
      fc.oneof(
        text,
        shown.map((value) => `pinhole=${value}; pinhole_paid=${value}`),
      ),
    ),
    pair('x-forwarded-for', fc.oneof(text, fc.constant('10.0.0.1, , ::1, 999.1.1.1'))),
    pair(
      'content-length',
      fc.constantFrom('0', '5', '-1', '5, 6', '1e9', '99999999999999999999', ' '),
    ),
    pair('expect', fc.constantFrom('100-continue', 'anything')),
    pair('range', fc.constantFrom('bytes=0-', 'bytes=-1', 'bytes=9-1')),
    pair('accept', fc.constantFrom('text/html', '*/*', 'application/grpc', ',,,;q=2')),
    pair(
      'content-type',
      fc.constantFrom('application/grpc', 'application/grpc+x', 'text/plain', ''),
    ),
    pair('x-pinhole-service', fc.constant('paid')),
    pair('host', fc.oneof(text, fc.constantFrom('self.test', 'a:b:c', '[::1', ''))),
    fc.tuple(fc.stringMatching(/^x-[a-z]{1,8}$/), text),
  )
}

/** What HTTP/1.1 alone has. */
const framing = fc.constantFrom<readonly [name: string, value: string]>(
  ['transfer-encoding', 'chunked'],
  ['transfer-encoding', 'chunked, identity'],
  ['transfer-encoding', 'xchunked'],
  ['connection', 'close'],
  ['connection', 'upgrade'],
  ['connection', 'authorization, x-pinhole-service'],
  ['upgrade', 'websocket'],
  ['upgrade', 'h2c'],
  ['te', 'trailers, gzip'],
  ['trailer', 'authorization'],
)

const method = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('GET', 'GET', 'POST') },
  fc.constantFrom(
    'GET',
    'POST',
    'HEAD',
    'PUT',
    'DELETE',
    'OPTIONS',
    'CONNECT',
    'TRACE',
    'PRI',
    'QUERY',
  ),
  text,
)

function http1(stolen: Stolen): fc.Arbitrary<Attack> {
  const lines = fc.array(fc.oneof({ weight: 4, arbitrary: header(stolen) }, framing), {
    maxLength: 4,
  })
  const version = fc.constantFrom(
    ...Array<string>(9).fill('HTTP/1.1'),
    'HTTP/1.1',
    'HTTP/1.1',
    'HTTP/1.0',
    'HTTP/2.0',
    'HTTP/9.9',
    '',
  )
  const ending = fc.constantFrom('\r\n\r\n', '\r\n\r\n', '\r\n\r\n', '\n\n', '\r\r\n', '\r\n', '')
  const body = fc.oneof(
    random(0, 60),
    fc.constantFrom('0\r\n\r\n', '5\r\nabc', '-1\r\n', 'fffffffff\r\n'),
  )
  return fc
    .tuple(method, target, version, lines, ending, body)
    .map(([verb, path, spoken, headers, end, rest]): Attack => {
      const head = [`${verb} ${path} ${spoken}`, 'host: self.test']
      const all = [...head, ...headers.map(([name, value]) => `${name}: ${value}`)].join('\r\n')
      return {
        by: 'bytes',
        bytes: Buffer.concat([Buffer.from(all + end, 'latin1'), Buffer.from(rest)]),
      }
    })
}

/** A preface, and frames of any type that say what they like. */
const frames: fc.Arbitrary<Attack> = fc
  .array(fc.tuple(fc.nat(11), fc.nat(255), fc.nat(9), random(0, 80), fc.boolean()), {
    maxLength: 8,
  })
  .map((all): Attack => {
    const parts = [
      Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
      Buffer.from('000000040000000000', 'hex'),
    ]
    for (const [type, flags, stream, payload, honest] of all) {
      const head = Buffer.alloc(9)
      head.writeUIntBE(honest ? payload.length : payload.length * 3, 0, 3)
      head.writeUInt8(type, 3)
      head.writeUInt8(flags, 4)
      head.writeUInt32BE(stream, 5)
      parts.push(head, Buffer.from(payload))
    }
    return { by: 'bytes', bytes: Buffer.concat(parts) }
  })

const noise: fc.Arbitrary<Attack> = random(1, 400).map((bytes) => ({
  by: 'bytes',
  bytes: Buffer.from(bytes),
}))

function http2(stolen: Stolen): fc.Arbitrary<Attack> {
  const lines = fc.array(header(stolen), { maxLength: 6 })
  return fc.tuple(method, target, lines).map(([verb, path, headers]): Attack => {
    const fields = headers.filter(([name]) => /^[a-z-]+$/.test(name) && name !== 'host')
    return {
      by: 'http2',
      headers: { ':method': verb, ':path': path, ...Object.fromEntries(fields) },
    }
  })
}

/** Any of them, half of them nearly right. */
export const attack = (stolen: Stolen): fc.Arbitrary<Attack> =>
  fc.oneof(
    { weight: 5, arbitrary: http1(stolen) },
    { weight: 3, arbitrary: http2(stolen) },
    { weight: 1, arbitrary: frames },
    { weight: 1, arbitrary: noise },
  )
