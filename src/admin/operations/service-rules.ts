/** What a service of the admin API must be, in Aperture's order and with its texts. */
import { compilePattern } from '../../../proxy/pattern.ts'
import { PinholeError } from '../../base/errors.ts'
import type { ServiceFields } from '../../selling/service-fields.ts'

const MAX_PATTERN_CHARS = 1_024

/** Refuses what `message` says. */
export function refuse(message: string): never {
  throw new PinholeError('ERR_ADMIN_REQUEST', message)
}

/** `name` as it will be sold by. @throws ERR_ADMIN_REQUEST */
export function checkName(name: string): void {
  if (name === '') refuse('name is required')
}

/** Checks what a service would be. @throws ERR_ADMIN_REQUEST */
export function checkFields(fields: ServiceFields): void {
  if (fields.address === '') refuse('address is required')
  if (!['http', 'https', 'h2c'].includes(fields.protocol)) {
    refuse(`protocol must be 'http' or 'https', got ${JSON.stringify(fields.protocol)}`)
  }
  checkPattern('host_regexp', fields.host_regexp)
  checkPattern('path_regexp', fields.path_regexp)
  if (BigInt(fields.price) < 0n) refuse('price must be >= 0')
  checkAuth(fields.auth)
}

function checkPattern(field: string, source: string): void {
  if (source.length > MAX_PATTERN_CHARS) {
    refuse(`${field} exceeds max length ${MAX_PATTERN_CHARS}`)
  }
  if (source === '') return
  try {
    compilePattern(source)
  } catch (error) {
    refuse(`invalid ${field}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function checkAuth(auth: string): void {
  const [, count] = /^freebie (.*)$/i.exec(auth) ?? []
  if (count !== undefined) {
    if (!/^0*[1-9]\d{0,8}$/.test(count)) {
      refuse('invalid freebie count, must be a positive integer')
    }
    return
  }
  if (['', 'on', 'off', 'true', 'false'].includes(auth.toLowerCase())) return
  refuse(`invalid auth level ${JSON.stringify(auth)}, must be 'on', 'off', or 'freebie N'`)
}
