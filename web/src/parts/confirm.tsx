/** Asks before something is done that cannot be undone. */
import type { ComponentChildren } from 'preact'
import { useEffect, useId, useRef } from 'preact/hooks'
import { useAction } from '../load.ts'
import { Trouble } from './notice.tsx'

interface ConfirmProps {
  readonly title: string
  readonly children: ComponentChildren
  /** What the button says that does it. */
  readonly verb: string
  readonly onConfirm: () => Promise<unknown>
  readonly onClose: () => void
}

export function Confirm({ title, children, verb, onConfirm, onClose }: ConfirmProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  const cancel = useRef<HTMLButtonElement>(null)
  const id = useId()
  const { busy, error, run } = useAction()
  useEffect(() => {
    dialog.current?.showModal()
    // Not what cannot be undone.
    cancel.current?.focus()
  }, [])
  const confirm = async () => {
    if (await run(onConfirm)) dialog.current?.close()
  }
  return (
    <dialog ref={dialog} aria-labelledby={id} onClose={onClose}>
      <h2 id={id}>{title}</h2>
      {children}
      <Trouble error={error} />
      <div class="row">
        <button type="button" class="danger" disabled={busy} onClick={() => void confirm()}>
          {verb}
        </button>
        <button ref={cancel} type="button" onClick={() => dialog.current?.close()}>
          Cancel
        </button>
      </div>
    </dialog>
  )
}
