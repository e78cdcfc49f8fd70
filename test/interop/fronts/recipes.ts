/** The configurations that docs/reverse-proxy.md shows, with nothing changed in them but addresses and files. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'

const file = path.resolve(import.meta.dirname, '../../../docs/reverse-proxy.md')

/** What stands in a recipe, and what is to stand there. */
export type Places = Readonly<Record<string, string>>

/** The first recipe in that language which has `mark` in it. Fails when a place of the recipe is missing. */
export function recipe(language: string, mark: string, places: Places): string {
  const text = readFileSync(file, 'utf8')
  const blocks = [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```/gm)]
  let out = blocks.find(([, of, block]) => of === language && block?.includes(mark))?.[2]
  assert.ok(out, `there is no recipe in ${language} with ${mark}`)
  for (const [written, here] of Object.entries(places)) {
    assert.ok(out.includes(written), `the recipe has no ${written}`)
    out = out.replaceAll(written, here)
  }
  return out
}
