// Changes the password, which ends every other session.
import { useMutation, useQueryClient } from '@tanstack/react-query'
import type { FormEvent } from 'react'
import { useClient } from '../api/context.tsx'
import { fewestCharacters, fieldText } from '../ui/form.ts'
import { Card } from '../ui/page.tsx'
import { WriteButton } from '../ui/read-only.tsx'
import { Failed } from '../ui/states.tsx'

export function PasswordCard() {
  const client = useClient()
  const queries = useQueryClient()
  const change = useMutation({
    mutationFn: (body: { current_password: string; new_password: string }) =>
      client.post('/api/v1/auth/password/change', { body }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['sessions'] }),
  })
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const form = event.currentTarget
    const data = new FormData(form)
    change.mutate(
      { current_password: fieldText(data, 'current'), new_password: fieldText(data, 'next') },
      { onSuccess: () => form.reset() },
    )
  }
  return (
    <Card title="Password">
      <form onSubmit={submit} className="stack">
        <div className="columns">
          <label className="field">
            <span>Current password</span>
            <input type="password" name="current" autoComplete="current-password" required />
          </label>
          <label className="field">
            <span>New password</span>
            <input type="password" name="next" autoComplete="new-password" minLength={fewestCharacters} required />
          </label>
        </div>
        <p className="muted">
          At least {fewestCharacters} characters. Every other session ends, and you get an e-mail about the change.
        </p>
        <div className="actions">
          <WriteButton type="submit" className="button" disabled={change.isPending}>
            {change.isPending ? 'Changing…' : 'Change the password'}
          </WriteButton>
          <span role="status" className="muted">
            {change.isSuccess ? 'Changed. Every other session has ended.' : ''}
          </span>
        </div>
        {change.error === null ? null : <Failed error={change.error} />}
      </form>
    </Card>
  )
}
