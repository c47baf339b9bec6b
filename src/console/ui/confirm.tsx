// A native dialog that says what an action will do, before it does it.
import { type ReactNode, useEffect, useId, useRef } from 'react'

interface ConfirmProps {
  readonly title: string
  readonly confirmLabel: string
  readonly busy?: boolean
  /** Whether the action may be confirmed now, such as after a typed word. */
  readonly enabled?: boolean
  readonly onConfirm: () => void
  readonly onClose: () => void
  readonly children: ReactNode
}

/** Is open for as long as it is rendered. */
export function Confirm({
  title,
  confirmLabel,
  busy = false,
  enabled = true,
  onConfirm,
  onClose,
  children,
}: ConfirmProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  const id = useId()
  useEffect(() => {
    const element = dialog.current
    element?.showModal()
    // Closed before it is removed, so that the focus returns to the button.
    return () => element?.close()
  }, [])
  return (
    <dialog ref={dialog} aria-labelledby={id} onClose={onClose}>
      <form
        method="dialog"
        onSubmit={(event) => {
          event.preventDefault()
          onConfirm()
        }}
      >
        <h2 id={id}>{title}</h2>
        {children}
        <div className="actions end">
          <button type="button" className="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button type="submit" className="button danger" disabled={busy || !enabled}>
            {busy ? 'Working…' : confirmLabel}
          </button>
        </div>
      </form>
    </dialog>
  )
}
