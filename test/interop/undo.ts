import type { TestContext } from 'node:test'

/** What a test has started, ended in the reverse order whatever becomes of the test. */
export class Undo {
  readonly #steps: (() => Promise<unknown>)[] = []

  constructor(t: TestContext) {
    t.after(async () => {
      for (const step of this.#steps.reverse()) await step()
    })
  }

  push(step: () => Promise<unknown>): void {
    this.#steps.push(step)
  }
}
