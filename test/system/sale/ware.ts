/** Something to buy, whatever protocol it is sold by. */
import assert from 'node:assert/strict'
import type { Challenge } from '../../../proxy/l402/index.ts'
import { parseChallenge } from '../../../proxy/l402/index.ts'

/** What asking without a token draws. */
export type Asked =
  | { readonly name: 'offer'; readonly offer: Challenge }
  /** There is nothing to be had for now; come back after so many seconds. */
  | { readonly name: 'later'; readonly retryAfterSeconds: number }

/** A paid stream of 0, 1, 2, …, which fails when a number is not the next. */
export interface Running {
  /** How many have come. */
  readonly count: number
  /** Resolves when it ends before it was closed, with how. */
  readonly ended: Promise<'whole' | 'broken'>
  /** Ends it; rejects when what came was wrong. */
  close(): Promise<void>
}

/** A service and how its clients speak with it. Tokens are values of `Authorization`. */
export interface CheapWare {
  readonly name: string
  /** Asks without a token; rejects on an answer that is neither of the two, and without an answer. */
  ask(): Promise<Asked>
  /** Shows a token; resolves when all that it opens has come and is right. */
  collect(token: string): Promise<void>
}

/** One with a stream. */
export interface Ware extends CheapWare {
  /** Opens a stream with a token; resolves when the first number has come. */
  open(token: string): Promise<Running>
}

/** Reads an answer to a request without a token. */
export function readAsked(
  status: number,
  challenges: readonly string[],
  retryAfter: string | undefined,
): Asked {
  if (status === 503) {
    assert.match(retryAfter ?? '', /^[1-9]\d*$/, '503 says when to come back')
    return { name: 'later', retryAfterSeconds: Number(retryAfter) }
  }
  assert.equal(status, 402)
  const [offer] = parseChallenge(challenges)
  assert.ok(offer, 'a 402 has a challenge')
  return { name: 'offer', offer }
}

/** Takes the numbers of a stream as they come. */
export class Counter {
  readonly ended: Promise<'whole' | 'broken'>
  readonly first: Promise<void>
  #count = 0
  #wrong: string | undefined
  #end: (how: 'whole' | 'broken') => void = () => {}
  #begin: () => void = () => {}
  #fail: (reason: Error) => void = () => {}

  constructor() {
    this.ended = new Promise((resolve) => (this.#end = resolve))
    this.first = new Promise((resolve, reject) => {
      this.#begin = resolve
      this.#fail = reject
    })
    this.first.catch(() => undefined)
  }

  take(text: string): void {
    if (text !== String(this.#count)) this.#wrong ??= `${text} came where ${this.#count} was due`
    this.#count++
    this.#begin()
  }

  end(how: 'whole' | 'broken'): void {
    this.#fail(new Error('the stream ended before it began'))
    this.#end(how)
  }

  /** The stream as a ware hands it out; `stop` ends it and resolves when nothing more comes. */
  running(stop: () => Promise<unknown>): Running {
    const count = () => this.#count
    return {
      get count() {
        return count()
      },
      ended: this.ended,
      close: async () => {
        await stop()
        assert.equal(this.#wrong, undefined)
      },
    }
  }
}
