/** Where a request may show credentials: header lines, and the cookies of the payment page. */
import { readCookies } from './cookie.ts'
import { credentialHeaderNames, MAX_HEADER_CHARS } from './l402/authorization.ts'

/** What requests show credentials in. */
export interface Shown {
  /** Node's flat list of names and values. */
  readonly rawHeaders: readonly string[]
  readonly headers: { readonly cookie?: string | undefined }
}

/** One line that may hold credentials. */
export interface Line {
  /** Lower case. */
  readonly name: string
  readonly value: string
}

const LENGTHS: ReadonlySet<number> = new Set([...credentialHeaderNames].map(({ length }) => length))
const AUTHORIZATION = 'authorization'

/**
 * The lines of a request that may hold credentials for `service`: `Authorization` first, then macaroons, then
 * cookies as if they were `Authorization`.
 */
export function evidenceOf({ rawHeaders, headers }: Shown, service: string): readonly Line[] {
  const lines: Line[] = []
  let macaroons: Line[] | undefined
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const raw = rawHeaders[at] ?? ''
    if (!LENGTHS.has(raw.length)) continue
    const name = raw.toLowerCase()
    const value = rawHeaders[at + 1] ?? ''
    if (!credentialHeaderNames.has(name) || value.length > MAX_HEADER_CHARS) continue
    if (name === AUTHORIZATION) lines.push({ name, value })
    else (macaroons ??= []).push({ name, value })
  }
  if (macaroons) lines.push(...macaroons)
  for (const value of readCookies(headers.cookie, service)) {
    lines.push({ name: AUTHORIZATION, value: `L402 ${value}` })
  }
  return lines
}
