// A button that changes something: it says what it will do first, and afterwards what it did.
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { Confirm } from '../ui/confirm.tsx'
import { Failed } from '../ui/states.tsx'

interface ActionProps {
  readonly label: string
  readonly title: string
  /** What it will do. */
  readonly effect: string
  /** Returns what it did. */
  readonly run: () => Promise<string>
}

export function Action({ label, title, effect, run }: ActionProps) {
  const queries = useQueryClient()
  const [isOpen, setOpen] = useState(false)
  const action = useMutation({
    mutationFn: run,
    onSuccess: async () => {
      setOpen(false)
      await queries.invalidateQueries({ queryKey: ['operations'] })
    },
  })
  const open = (): void => {
    action.reset()
    setOpen(true)
  }
  return (
    <>
      <button type="button" className="button small" onClick={open}>
        {label}
      </button>
      {action.data === undefined ? null : (
        <span role="status" className="muted">
          {action.data}
        </span>
      )}
      {isOpen ? (
        <Confirm
          title={title}
          confirmLabel={label.replace('…', '')}
          busy={action.isPending}
          onConfirm={() => action.mutate()}
          onClose={() => setOpen(false)}
        >
          <p>{effect}</p>
          {action.error === null ? null : <Failed error={action.error} />}
        </Confirm>
      ) : null}
    </>
  )
}

export const scheduled = (count: number): string =>
  count === 1 ? '1 sync is scheduled.' : `${count} syncs are scheduled.`
