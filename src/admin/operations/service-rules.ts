/** What a service of the admin API must be, in Aperture's order and with its texts. */
import { compilePattern } from '../../../proxy/pattern.ts'
import { PinholeError } from '../../base/errors.ts'
import { MAX_PRICE_SAT } from '../../config/service-schema.ts'
import type { ServiceFields } from '../../selling/service-fields.ts'

const MAX_PATTERN_CHARS = 1_024

/** Refuses what `message` says. */
export function refuse(message: string): never {
  throw new PinholeError('ERR_ADMIN_REQUEST', message)
}

/** `name` as it will be sold by. @throws ERR_ADMIN_REQUEST */
export function checkName(name: string): void {
  if (name === '') refuse('name is required')
  // No URL can hold them, so that nobody could change or remove it.
  if (name === '.' || name === '..') refuse(`name cannot be ${name}`)
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
  if (BigInt(fields.price) > MAX_PRICE_SAT) {
    // Before it is a number, which would not be the one that was sent.
    refuse(`price: must be a whole number from 0 to ${MAX_PRICE_SAT}, not ${fields.price}`)
  }
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
