/** What was found at each door of a session, and what that says of the session. */
import type { Symptom } from './symptom.ts'
import type { Target } from './target.ts'

type Door = Target['door']

export class Findings {
  readonly #found = new Map<Door, Symptom>()

  /**
   * Notes what is in the way at `door`; gives what counts for the session. A node that has boxes at one door
   * has none at the other: they are missing only where no door has any.
   */
  note(door: Door, symptom: Symptom): Symptom {
    this.#found.set(door, symptom)
    if (symptom.kind !== 'not-found') return symptom
    const silent = [...this.#found.values()].find(({ kind }) => kind === 'silent')
    return silent ?? symptom
  }

  /** Forgets everything: a connection stands. */
  clear(): void {
    this.#found.clear()
  }
}
