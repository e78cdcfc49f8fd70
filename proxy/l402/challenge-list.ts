/** Reads `WWW-Authenticate` (RFC 9110 §11.6.1): challenges in a list, each a scheme with parameters. */

/** One challenge. */
export interface AuthChallenge {
  /** As it was written; compare it in any case. */
  readonly scheme: string
  /** By lower-case names; of a repeated one the first. */
  readonly parameters: ReadonlyMap<string, string>
}

/** Longest line that is read, in characters. */
export const MAX_CHALLENGE_CHARS = 65_536

const SEPARATORS = /[\s,]*/y
const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y
const EQUALS = /[ \t]*=[ \t]*/y
/** What may stand after a scheme in place of parameters (RFC 9110 §11.2). */
const TOKEN68 = /[ \t]+[A-Za-z0-9\-._~+/]+=*(?=[ \t]*(?:,|$))/y
const QUOTED = /"((?:[^"\\]|\\[^])*)"/y
/** Further than a token: base64 is sent without quotes, too. */
const UNQUOTED = /[^\s,"]*/y
const TO_NEXT = /[^,]*/y

/** The challenges of one line, in order. What cannot be read is passed over; nothing throws. */
export function parseChallengeList(line: string): readonly AuthChallenge[] {
  if (line.length > MAX_CHALLENGE_CHARS) return []
  const challenges: { scheme: string; parameters: Map<string, string> }[] = []
  const take = scanner(line)
  for (;;) {
    take(SEPARATORS)
    const name = take(TOKEN)
    if (name === undefined) {
      // Neither a scheme nor a parameter: go on behind the next comma, if there is one.
      if (!take(TO_NEXT)) return challenges
    } else if (take(EQUALS) === undefined) {
      take(TOKEN68)
      challenges.push({ scheme: name, parameters: new Map() })
    } else {
      const value = takeValue(take)
      const parameters = challenges.at(-1)?.parameters
      if (!parameters?.has(name.toLowerCase())) parameters?.set(name.toLowerCase(), value)
    }
  }
}

type Take = (pattern: RegExp) => string | undefined

function takeValue(take: Take): string {
  const quoted = take(QUOTED)
  return quoted === undefined
    ? (take(UNQUOTED) ?? '')
    : quoted.slice(1, -1).replace(/\\([^])/g, '$1')
}

/** Takes what a sticky pattern matches at the place that was reached. */
function scanner(line: string): Take {
  let at = 0
  return (pattern) => {
    pattern.lastIndex = at
    const match = pattern.exec(line)?.[0]
    at += match?.length ?? 0
    return match
  }
}
