// A button that changes something: it says what it will do first, and afterwards what it did.
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { readStatusAgain } from '../api/read-only.ts'
import { Confirm } from '../ui/confirm.tsx'
import { WriteButton } from '../ui/read-only.tsx'
import { Failed } from '../ui/states.tsx'

interface ActionProps {
  readonly label: string
  readonly title: string
  /** What it will do. */
  readonly effect: string
  /** Returns what it did. */
  readonly run: () => Promise<string>
  /** Whether it is possible while the deployment is frozen. */
  readonly endsFreeze?: boolean
}

export function Action({ label, title, effect, run, endsFreeze = false }: ActionProps) {
  const queries = useQueryClient()
  const [isOpen, setOpen] = useState(false)
  const action = useMutation({
    mutationFn: run,
    onSuccess: async () => {
      setOpen(false)
      await Promise.all([queries.invalidateQueries({ queryKey: ['operations'] }), readStatusAgain(queries)])
    },
  })
  const open = (): void => {
    action.reset()
    setOpen(true)
  }
  const Button = endsFreeze ? 'button' : WriteButton
  return (
    <>
      <Button type="button" className="button small" onClick={open}>
        {label}
      </Button>
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
