/** Edits (insert, drop or change a letter, swap two neighbours) that turn `a` into `b`. */
function distance(a: string, b: string): number {
  let before: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, at) => at)
  const at = (row: readonly number[], column: number) => row[column] ?? Infinity
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      row[j] = Math.min(
        at(last, j) + 1,
        at(row, j - 1) + 1,
        at(last, j - 1) + (same ? 0 : 1),
        swapped ? at(before, j - 2) + 1 : Infinity,
      )
    }
    before = last
    last = row
  }
  return at(last, b.length)
}

const plain = (text: string) => text.toLowerCase().replaceAll(/[-_ ]/g, '')

/** The one of `known` that `name` was probably meant to be, or `undefined` when none is near. */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  let best: { name: string; edits: number } | undefined
  for (const candidate of known) {
    const edits = distance(plain(name), plain(candidate))
    if (!best || edits < best.edits) best = { name: candidate, edits }
  }
  const bound = Math.max(1, Math.floor(name.length / 3))
  return best && best.edits <= bound ? best.name : undefined
}
