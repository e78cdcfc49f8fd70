/** A table that scrolls by itself where it is wider than the window. */
import type { ComponentChildren } from 'preact'

interface TableProps {
  /** What it lists, for those who do not see it. */
  readonly label: string
  readonly head: readonly string[]
  readonly rows: readonly { readonly key: string; readonly cells: readonly ComponentChildren[] }[]
  /** Said in place of a table without rows. */
  readonly empty: string
}

export function Table({ label, head, rows, empty }: TableProps) {
  if (rows.length === 0) return <p class="empty">{empty}</p>
  return (
    <div class="scroll" role="region" aria-label={label} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {head.map((text) => (
              <th key={text} scope="col">
                {text}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ key, cells }) => (
            <tr key={key}>
              {cells.map((cell, n) => (
                <td key={n}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
