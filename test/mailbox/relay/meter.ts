import assert from 'node:assert/strict'
import { Registry } from 'prom-client'

/** A registry to hand to a relay, and what it shows. */
export class RelayClientMeter {
  readonly registry = new Registry()

  async value(name: string, labels: Record<string, string> = {}): Promise<number> {
    const metrics = await this.registry.getMetricsAsJSON()
    const metric = metrics.find((one) => one.name === name) ?? assert.fail(`no ${name}`)
    const found = metric.values.find((one) =>
      Object.entries(labels).every(([label, value]) => Reflect.get(one.labels, label) === value),
    )
    return found?.value ?? 0
  }
}
