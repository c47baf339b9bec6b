// Erases the person, after saying what that means, a typed confirmation and, with an account, the password.
import { useMutation } from '@tanstack/react-query'
import { newIdempotencyKey } from '@wealthnavigator/client'
import { useRef, useState } from 'react'
import { useClient } from '../api/context.tsx'
import { useSession } from '../api/session.tsx'
import { navigate } from '../router/location.ts'
import { Confirm } from '../ui/confirm.tsx'
import { Card } from '../ui/page.tsx'
import { WriteButton } from '../ui/read-only.tsx'
import { Failed } from '../ui/states.tsx'
import { whileErasing } from './under-way.ts'

const wanted = 'erase everything'

function Dialog({ onClose }: { readonly onClose: () => void }) {
  const client = useClient()
  const { state, end } = useSession()
  const hasPassword = state.name === 'signed_in' && state.kind === 'account'
  const [typed, setTyped] = useState('')
  const [password, setPassword] = useState('')
  const key = useRef(newIdempotencyKey())
  const erasure = useMutation({
    mutationFn: () =>
      whileErasing(async () => {
        const { id } = await client.post('/api/v1/privacy/erase', {
          params: { header: { 'idempotency-key': key.current } },
          body: hasPassword ? { password } : {},
        })
        navigate(`/erased/${id}`)
        end('signed_out')
      }),
  })
  const isReady = typed.trim().toLowerCase() === wanted && (!hasPassword || password !== '')
  return (
    <Confirm
      title="Erase everything?"
      confirmLabel="Erase everything"
      busy={erasure.isPending}
      enabled={isReady}
      onConfirm={() => erasure.mutate()}
      onClose={onClose}
    >
      <p>This cannot be undone. Type the words below to confirm.</p>
      <label className="field">
        <span>
          Type <code>{wanted}</code>
        </span>
        <input
          value={typed}
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          onChange={(event) => setTyped(event.currentTarget.value)}
        />
      </label>
      {hasPassword ? (
        <label className="field">
          <span>Your password</span>
          <input
            type="password"
            autoComplete="current-password"
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
          />
        </label>
      ) : null}
      <p role="status" className="muted">
        {erasure.isPending ? 'Removing your banks and deleting every row. This can take half a minute.' : ''}
      </p>
      {erasure.error === null ? null : <Failed error={erasure.error} />}
    </Confirm>
  )
}

export function EraseCard() {
  const [isOpen, setOpen] = useState(false)
  return (
    <Card title="Erase everything">
      <ul className="bullets">
        <li>Every bank is disconnected, here and at Plaid.</li>
        <li>Every row about you is deleted: accounts, transactions, notes, choices, and your sign-in.</li>
        <li>You are signed out everywhere, at once.</li>
        <li>
          You get a signed certificate of what was deleted. Encrypted backups keep their copy until their own time ends;
          the certificate says what is kept and why.
        </li>
      </ul>
      <p className="muted">Download your data first if you want to keep a copy.</p>
      <div className="actions">
        <WriteButton className="button danger" onClick={() => setOpen(true)}>
          Erase everything…
        </WriteButton>
      </div>
      {isOpen ? <Dialog onClose={() => setOpen(false)} /> : null}
    </Card>
  )
}
