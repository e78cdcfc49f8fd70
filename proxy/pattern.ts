/** Patterns of the configuration: Go's RE2 syntax, searched for anywhere in the text, in linear time. */
import { RE2JS } from 're2js'
import type { Pattern } from './service.ts'

/** One character: a letter or mark that means itself, an escaped mark, or any character. */
const ATOM = /\\[/.\-_~!@#%&+*?()[\]{}|^$\\]|[A-Za-z0-9/_~!@#%&=:;,'"<> -]|\./y

/**
 * `source` as a native expression that matches exactly the same texts, when it is plain: characters and
 * dots, perhaps anchored, perhaps with one `.*` or `.+` at its end. Nothing in it can backtrack. A native
 * expression takes 0.02 µs for a path where re2js takes 0.05 to 0.35 µs, and nearly every pattern of an
 * aperture.yaml is plain.
 */
function native(source: string): RegExp | undefined {
  const anchored = source.startsWith('^')
  let at = anchored ? 1 : 0
  let out = anchored ? '^' : ''
  let tail = ''
  while (at < source.length) {
    tail = source.slice(at)
    if (/^(?:\.[*+])?\$?$/.test(tail)) break
    ATOM.lastIndex = at
    const atom = ATOM.exec(source)?.[0]
    if (atom === undefined) return undefined
    // RE2's dot stands for any character but a line feed; a JavaScript dot leaves out four.
    out += atom === '.' ? '[^\\n]' : atom.replace(/^\\([-_~!@#%&])$/, '$1')
    at += atom.length
    tail = ''
  }
  // What an unanchored expression with a tail costs grows with the square of the text.
  if (tail.length > 1 && tail.endsWith('$') && !anchored) return undefined
  return new RegExp(out + tail.replace('.', '[^\\n]'), 'u')
}

/** Compiles RE2 `source`. Throws re2js's exception, whose message says what is wrong. */
export function compilePattern(source: string): Pattern {
  // Compiled always: what Go would refuse is refused.
  const re2 = RE2JS.compile(source)
  const plain = native(source)
  return Object.freeze({
    source,
    test: plain ? (text: string) => plain.test(text) : (text: string) => re2.test(text),
  })
}
