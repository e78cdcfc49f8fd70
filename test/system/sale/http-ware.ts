/** The HTTP service: a download and an upload whose digests are known, and lines that count. */
import assert from 'node:assert/strict'
import { Digest, patternChunks, patternDigest } from '../../interop/echo-pattern.ts'
import { type HubProcess, PRICES } from './hub-process.ts'
import { FILE_BYTES, WORDS } from './upstreams.ts'
import { type Asked, type CheapWare, Counter, readAsked, type Running, type Ware } from './ware.ts'

/** Downloads and uploads with `fetch`, and looks at what came. */
export async function transfer(
  fetch: typeof globalThis.fetch,
  base: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<void> {
  const download = await fetch(`${base}/http/file`, { headers })
  assert.equal(download.status, 200)
  assert.equal(download.headers.get('x-paid-msat'), String(PRICES.http * 1000))
  const digest = new Digest()
  for await (const chunk of download.body ?? []) digest.add(chunk as Uint8Array)
  assert.equal(digest.finish(), patternDigest(FILE_BYTES))

  const body = Buffer.concat([...patternChunks(FILE_BYTES)])
  const upload = await fetch(`${base}/http/upload`, { method: 'POST', headers, body })
  assert.equal(await upload.text(), patternDigest(FILE_BYTES))
}

/** What is sold over HTTP/1.1. */
export function httpWare(hub: HubProcess): Ware {
  const base = `https://${hub.address}`
  return {
    name: 'HTTP',
    ask: () => ask(hub, `${base}/http/file`),
    collect: (token) => transfer(hub.fetch, base, { authorization: token }),
    open: (token) => ticks(hub, `${base}/http/ticks`, token),
  }
}

/** A few words, for a crowd. */
export function cheapWare(hub: HubProcess): CheapWare {
  const url = `https://${hub.address}/cheap/words`
  return {
    name: 'words',
    ask: () => ask(hub, url),
    async collect(token) {
      const response = await hub.fetch(url, { headers: { authorization: token } })
      const text = await response.text()
      assert.deepEqual([response.status, text], [200, WORDS])
    },
  }
}

async function ask(hub: HubProcess, url: string): Promise<Asked> {
  const response = await hub.fetch(url)
  await response.text()
  const { status, headers } = response
  const challenges = [headers.get('www-authenticate') ?? '']
  return readAsked(status, challenges, headers.get('retry-after') ?? undefined)
}

async function ticks(hub: HubProcess, url: string, authorization: string): Promise<Running> {
  const stop = new AbortController()
  const { signal } = stop
  const response = await hub.fetch(url, { headers: { authorization }, signal })
  assert.equal(response.status, 200)
  const counter = new Counter()
  const reading = read(response, counter)
  await counter.first
  return counter.running(async () => {
    stop.abort()
    await reading
  })
}

async function read(response: Response, counter: Counter): Promise<void> {
  let rest = ''
  try {
    for await (const chunk of response.body ?? []) {
      const lines = (rest + Buffer.from(chunk).toString()).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) counter.take(line)
    }
    counter.end('whole')
  } catch {
    counter.end('broken')
  }
}
