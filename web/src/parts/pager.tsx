/** Turns the pages of a list. */
import { useEffect } from 'preact/hooks'
import { shownCount } from '../format.ts'

/** Entries on a page. */
export const PAGE_SIZE = 25

interface PagerProps {
  readonly total: number
  readonly offset: number
  readonly onOffset: (offset: number) => void
}

export function Pager({ total, offset, onOffset }: PagerProps) {
  useEffect(() => {
    // The last entry of the last page has gone.
    if (offset > 0 && offset >= total) onOffset(Math.max(0, offset - PAGE_SIZE))
  }, [total, offset])
  if (total === 0) return null
  const last = Math.min(total, offset + PAGE_SIZE)
  return (
    <div class="row pager">
      <span aria-live="polite">
        {`${shownCount(offset + 1)} to ${shownCount(last)} of ${shownCount(total)}`}
      </span>
      {total > PAGE_SIZE && (
        <>
          <button
            type="button"
            disabled={offset === 0}
            onClick={() => onOffset(Math.max(0, offset - PAGE_SIZE))}
          >
            Newer
          </button>
          <button
            type="button"
            disabled={last >= total}
            onClick={() => onOffset(offset + PAGE_SIZE)}
          >
            Older
          </button>
        </>
      )}
    </div>
  )
}
