/** deploy/grafana/pinhole.json uses figures that exist, with labels that they have. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import { z } from 'zod'

const root = path.resolve(import.meta.dirname, '../..')
const read = (file: string) => readFileSync(path.join(root, file), 'utf8')

const dashboard = z
  .object({
    title: z.string(),
    templating: z.object({
      list: z.array(z.object({ name: z.string(), definition: z.string().optional() })),
    }),
    panels: z.array(
      z.object({
        id: z.number(),
        type: z.string(),
        title: z.string(),
        targets: z.array(z.object({ expr: z.string(), legendFormat: z.string() })).optional(),
        gridPos: z.object({ h: z.number(), w: z.number(), x: z.number(), y: z.number() }),
      }),
    ),
  })
  .parse(JSON.parse(read('deploy/grafana/pinhole.json')))

/** Names and labels by docs/metrics.md, which another test holds against the registry. */
const figures = new Map<string, readonly string[]>(
  [...read('docs/metrics.md').matchAll(/^\| `(\w+)` \| (\w+) \|([^|]*)\|/gm)].flatMap(
    ([, name = '', type, text = '']): (readonly [string, readonly string[]])[] => {
      const labels = [...text.matchAll(/`(\w+)`/g)].map(([, label = '']) => label)
      if (type !== 'histogram') return [[name, labels]]
      return ['_bucket', '_sum', '_count'].map((end) => [name + end, [...labels, 'le']])
    },
  ),
)
/** prom-client's own. */
for (const name of [
  'process_resident_memory_bytes',
  'process_cpu_seconds_total',
  'nodejs_eventloop_lag_p99_seconds',
]) {
  figures.set(name, [])
}

const expressions = [
  ...dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
  ...dashboard.templating.list.flatMap(({ definition = [] }) => definition),
]

test('every expression names figures that exist, with labels of theirs', () => {
  assert.ok(expressions.length > 40)
  for (const expression of expressions) {
    const plain = expression.replaceAll(/"[^"]*"/g, '""')
    const named = [...plain.matchAll(/\b((?:pinhole|aperture|hashmail|process|nodejs)_\w+)/g)]
    assert.ok(named.length > 0, expression)
    const known = new Set(['instance'])
    for (const [, name = ''] of named) {
      const labels = figures.get(name)
      assert.ok(labels, `${name} does not exist: ${expression}`)
      for (const label of labels) known.add(label)
    }
    const used = [
      ...[...plain.matchAll(/([a-z_]+)=~?""/g)].map(([, label = '']) => label),
      ...[...plain.matchAll(/\b(?:by|on) \(([^)]*)\)/g)].flatMap(([, list = '']) =>
        list.split(', '),
      ),
    ]
    for (const label of used) assert.ok(known.has(label), `no label ${label}: ${expression}`)
  }
})

test('every figure of ours is shown', () => {
  const text = expressions.join('\n')
  const missing = [...figures.keys()].filter((name) => !text.includes(name))
  assert.deepEqual(missing, [
    'pinhole_invoice_wait_seconds_sum',
    'pinhole_invoice_wait_seconds_count',
  ])
})

test('legends show labels that their expression keeps, and panels neither overlap nor share an id', () => {
  for (const { targets = [], title } of dashboard.panels) {
    for (const { expr, legendFormat } of targets) {
      for (const [, label = ''] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) {
        const kept = [...expr.matchAll(/\b(?:by|on) \(([^)]*)\)/g)].map(([, list = '']) => list)
        assert.ok(kept.join(', ').split(', ').includes(label), `${title}: ${legendFormat}`)
      }
    }
  }
  const taken = new Set<string>()
  for (const {
    gridPos: { x, y, w, h },
    title,
  } of dashboard.panels) {
    assert.ok(x + w <= 24, title)
    for (let column = x; column < x + w; column++) {
      for (let line = y; line < y + h; line++) {
        assert.ok(!taken.has(`${column} ${line}`), `${title} overlaps`)
        taken.add(`${column} ${line}`)
      }
    }
  }
  assert.equal(new Set(dashboard.panels.map(({ id }) => id)).size, dashboard.panels.length)
})
