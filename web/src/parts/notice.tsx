/** What went wrong, in the hub's words, and what to do about it. */
import { ApiError } from '../api.ts'

export function Trouble({ error }: { readonly error: unknown }) {
  if (error === undefined) return null
  const said = error instanceof Error ? error.message : error
  const text = typeof said === 'string' ? said : JSON.stringify(said)
  const advice = error instanceof ApiError ? error.advice : ''
  return (
    <div class="notice bad" role="alert">
      <p>{text}</p>
      {advice && <p class="advice">{advice}</p>}
    </div>
  )
}

/** `ready`, `away`, …: a word with a colour, never a colour alone. */
export function State({ word }: { readonly word: string }) {
  return <span class={`state ${TONES.get(word) ?? ''}`}>{word}</span>
}

const TONES: ReadonlyMap<string, string> = new Map([
  ...['ready', 'settled', 'valid', 'ok', 'live', 'paid', 'done', 'found'].map(
    (word) => [word, 'good'] as const,
  ),
  ...['connecting', 'pending', 'warning', 'warn', 'not said'].map(
    (word) => [word, 'fair'] as const,
  ),
  ...['away', 'error', 'broken', 'revoked', 'missing', 'invalid', 'expired'].map(
    (word) => [word, 'bad'] as const,
  ),
])
