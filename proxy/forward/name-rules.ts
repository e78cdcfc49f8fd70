/**
 * What is done with a header, looked up by its name as it stands on the wire. Names repeat from request to
 * request, so each spelling is judged once; the memory of spellings is bounded, for clients choose them.
 */

/** Spellings remembered; 512 of them cover what well-meaning clients send many times over. */
const MAX_SPELLINGS = 512
/** A longer name is judged anew each time. */
const MAX_NAME_LENGTH = 64

/** Judges names and remembers the verdicts. */
export class NameRules<Rule> {
  readonly #judge: (lowerCaseName: string) => Rule
  readonly #known = new Map<string, Rule>()

  constructor(judge: (lowerCaseName: string) => Rule) {
    this.#judge = judge
  }

  /** The rule for a name in any spelling. */
  of(name: string): Rule {
    const known = this.#known.get(name)
    if (known !== undefined) return known
    const rule = this.#judge(name.toLowerCase())
    if (name.length <= MAX_NAME_LENGTH && this.#known.size < MAX_SPELLINGS) {
      this.#known.set(name, rule)
    }
    return rule
  }
}
