/** The relay's figures, as they are now and by the second. */
import type { Registry } from 'prom-client'
import type { Clock } from '../base/clock.ts'

/** How long a rate looks back. */
const WINDOW_MS = 10_000
/** Too short to say anything of a rate: the first question waits for it. */
const LEAST_MS = 250
const SECOND_MS = 1_000

interface Sample {
  readonly atMs: number
  readonly messages: number
  readonly bytes: number
}

/** What is told of a relay. */
export interface RelayReading {
  readonly boxes: number
  readonly streams: number
  readonly messages_per_second: number
  readonly bytes_per_second: number
  readonly refusals: Record<string, number>
}

/** Reads them out of the registry in which the relay shows them. */
export class RelayFigures {
  readonly #registry: Registry
  readonly #clock: Clock
  #samples: readonly Sample[] = []

  constructor(registry: Registry, clock: Clock) {
    this.#registry = registry
    this.#clock = clock
  }

  /** Rates are those since the questions of the last ten seconds. */
  async read(): Promise<RelayReading> {
    const nowMs = this.#clock.now()
    const recent = this.#samples.filter(({ atMs }) => nowMs - atMs <= WINDOW_MS)
    const [first] = recent
    this.#samples = recent
    if (!first || nowMs - first.atMs < LEAST_MS) {
      const before = first ?? (await this.#sample())
      await new Promise<void>((resolve) => this.#clock.after(LEAST_MS, resolve))
      return this.#since(before)
    }
    return this.#since(first)
  }

  async #since(before: Sample): Promise<RelayReading> {
    const now = await this.#sample()
    const seconds = Math.max(LEAST_MS, now.atMs - before.atMs) / SECOND_MS
    const refusals = await this.#values('pinhole_relay_refusals_total')
    return {
      boxes: await this.#sum('hashmail_mailbox_count'),
      streams: await this.#sum('pinhole_relay_streams'),
      messages_per_second: rounded((now.messages - before.messages) / seconds),
      bytes_per_second: rounded((now.bytes - before.bytes) / seconds),
      refusals: Object.fromEntries(
        refusals.map(({ labels, value }) => [String(labels['code'] ?? ''), value]),
      ),
    }
  }

  async #sample(): Promise<Sample> {
    const sample = {
      atMs: this.#clock.now(),
      messages: await this.#sum('pinhole_relay_messages_total'),
      bytes: await this.#sum('pinhole_relay_message_bytes_total'),
    }
    this.#samples = [...this.#samples, sample].slice(-MAX_SAMPLES)
    return sample
  }

  async #sum(name: string): Promise<number> {
    return (await this.#values(name)).reduce((sum, { value }) => sum + value, 0)
  }

  async #values(name: string) {
    const metric = await this.#registry.getSingleMetric(name)?.get()
    return metric?.values ?? []
  }
}

/** Many may ask at once. */
const MAX_SAMPLES = 100

const rounded = (rate: number): number => Math.round(rate * 100) / 100
