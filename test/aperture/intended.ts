/**
 * Where Pinhole answers otherwise than Aperture v0.5.0, on purpose: the rows of the table in
 * docs/aperture.md, which says why. A case may differ in the parts that are named here, and must.
 */
import { readFileSync } from 'node:fs'
import path from 'node:path'

/** One row: cases, and a pattern for every line by which their answers may differ. */
export interface Intended {
  readonly cases: readonly string[]
  readonly parts: readonly RegExp[]
}

const page = path.resolve(import.meta.dirname, '../../docs/aperture.md')

/** Rows of the table below a heading. */
export function intendedDifferences(heading = 'Intended differences'): readonly Intended[] {
  const [, rest = ''] = readFileSync(page, 'utf8').split(`## ${heading}\n`)
  const [table = ''] = rest.split('\n## ')
  return table
    .split('\n')
    .filter((line) => /^\| `/.test(line))
    .map((line) => {
      const [, cases = '', parts = ''] = line.split(/(?<!\\)\|/)
      const quoted = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text)
      return {
        cases: quoted(cases),
        parts: quoted(parts).map((text) => new RegExp(`^${text.replaceAll('\\|', '|')}: `)),
      }
    })
}

/** What may differ in one case, and what must: a star in a row's case stands for any ending, and only allows. */
export interface Parts {
  readonly allowed: readonly RegExp[]
  readonly named: readonly RegExp[]
}

/** The patterns that cover the case `id`. */
export function partsFor(id: string, rows: readonly Intended[]): Parts {
  const covers = (name: string) =>
    name.endsWith('*') ? id.startsWith(name.slice(0, -1)) : id === name
  const partsOf = (picked: readonly Intended[]) => picked.flatMap(({ parts }) => parts)
  return {
    allowed: partsOf(rows.filter(({ cases }) => cases.some(covers))),
    named: partsOf(rows.filter(({ cases }) => cases.includes(id))),
  }
}
