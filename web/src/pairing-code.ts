/** What a QR code of a session says, or a link to it: the words, and the relay at which the node waits. */

/** Words of a pairing phrase. */
export const PHRASE_WORDS = 10

/** Whom to pair with; `mailbox` is empty where only the words were said. */
export interface PairingCode {
  readonly phrase: string
  readonly mailbox: string
}

/** Lightning Terminal's link: Base64 of `words||relay||kind of session`. */
const LINK = /\/connect\/pair\/([\w+/=%-]+)$/

/** Reads the words alone or a link of Lightning Terminal; `undefined` for any other text. */
export function readPairingCode(text: string): PairingCode | undefined {
  const [, coded] = LINK.exec(text.trim()) ?? []
  const [said = '', mailbox = ''] = coded === undefined ? [text] : decoded(coded).split('||')
  const words = wordsOf(said)
  const whole = words.length === PHRASE_WORDS && words.every((word) => /^[a-z]{3,8}$/.test(word))
  return whole ? { phrase: words.join(' '), mailbox: mailbox.trim() } : undefined
}

/** The words of a phrase as it may be typed. */
export const wordsOf = (phrase: string): string[] =>
  phrase
    .toLowerCase()
    .split(/[\s,;]+/)
    .filter((word) => word !== '')

function decoded(coded: string): string {
  try {
    return atob(decodeURIComponent(coded).replaceAll('-', '+').replaceAll('_', '/'))
  } catch {
    return ''
  }
}
