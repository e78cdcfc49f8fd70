/** A table that scrolls by itself where it is wider than the window. */
import type { ComponentChildren } from 'preact'

interface TableProps {
  /** What it lists, for those who do not see it. */
  readonly label: string
  readonly head: readonly string[]
  /** Columns of sentences, which may be broken; all others stay on one line. */
  readonly text?: readonly number[] | undefined
  readonly rows: readonly { readonly key: string; readonly cells: readonly ComponentChildren[] }[]
  /** Said in place of a table without rows. */
  readonly empty: string
}

export function Table({ label, head, text = [], rows, empty }: TableProps) {
  if (rows.length === 0) return <p class="empty">{empty}</p>
  return (
    <div class="scroll" role="region" aria-label={label} tabIndex={0}>
      <table class={text.length > 0 ? 'long' : undefined}>
        <thead>
          <tr>
            {head.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ key, cells }) => (
            <tr key={key}>
              {cells.map((cell, n) => (
                <td key={n} class={text.includes(n) ? 'text' : undefined}>
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
