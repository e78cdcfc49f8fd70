/** Trust in a certificate that a hub has made itself. */
import type { IncomingMessage } from 'node:http'
import type { PeerCertificate } from 'node:tls'

/**
 * A `fetch` that trusts the certificates in `ca` (PEM) and no other. The hub's very own may be dialled by any name:
 * it names the machine as it was when it was made, which says less than the key. It sends text and follows nothing.
 */
export function pinnedFetch(ca: string): typeof fetch {
  let made: Promise<typeof fetch> | undefined
  return async (input, init) => {
    made ??= makeFetch(ca)
    return (await made)(input, init)
  }
}

// Loaded on use: a browser has no such thing, and a command that asks nothing should not wait for it.
async function makeFetch(ca: string): Promise<typeof fetch> {
  const [https, tls, crypto, stream] = await Promise.all([
    import('node:https'),
    import('node:tls'),
    import('node:crypto'),
    import('node:stream'),
  ])
  const pinned = new Set(
    (ca.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).map((pem) =>
      new crypto.X509Certificate(pem).raw.toString('hex'),
    ),
  )
  const trust = {
    ca,
    // A certificate of another authority can be pinned without that authority's own.
    allowPartialTrustChain: true,
    checkServerIdentity: (host: string, certificate: PeerCertificate) =>
      pinned.has(certificate.raw.toString('hex'))
        ? undefined
        : tls.checkServerIdentity(host, certificate),
  }
  return (input, init) => {
    const { url, method, headers, body, signal } = requestOf(input, init)
    return new Promise((resolve, reject) => {
      // No agent: nothing is to keep a command from ending when it is done.
      const sent = https.request(url, { ...trust, agent: false, method, headers, signal })
      sent.once('error', reject)
      sent.once('response', (answer: IncomingMessage) => {
        const status = answer.statusCode ?? 0
        const fields = Object.entries(answer.headersDistinct).flatMap(([name, values = []]) =>
          values.map((value): [string, string] => [name, value]),
        )
        const content = isBodiless(status) ? null : stream.Readable.toWeb(answer)
        resolve(new Response(content, { status, headers: fields }))
      })
      sent.end(body)
    })
  }
}

/** As `fetch` takes it, as far as the client makes use of that. */
function requestOf(input: string | URL | Request, init: RequestInit = {}) {
  const { method = 'GET', body = '', signal } = init
  const headers = Object.fromEntries(new Headers(init.headers))
  if (input instanceof Request || typeof body !== 'string') {
    throw new TypeError('a request of the admin client is an address and text')
  }
  return { url: input, method, headers, body, signal: signal ?? undefined }
}

const isBodiless = (status: number): boolean => status === 204 || status === 304
