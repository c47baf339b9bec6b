// The second factor: sets up an authenticator app, shows the recovery codes once, and turns it off. The API does not say whether
// one is active, so both ways are offered.
import { useMutation, useQueryClient } from '@tanstack/react-query'
import type { TotpSecret } from '@wealthnavigator/client'
import { type FormEvent, useState } from 'react'
import { useClient } from '../api/context.tsx'
import { saveFile } from '../privacy/download.ts'
import { CopyId } from '../ui/copy.tsx'
import { fieldText } from '../ui/form.ts'
import { Card } from '../ui/page.tsx'
import { WriteButton } from '../ui/read-only.tsx'
import { Failed } from '../ui/states.tsx'

function RecoveryCodes({ codes }: { readonly codes: readonly string[] }) {
  const save = (): void => saveFile(new Blob([`${codes.join('\n')}\n`], { type: 'text/plain' }), 'recovery-codes.txt')
  return (
    <div className="stack" role="status">
      <p>
        <strong>The second factor is on.</strong> Every other session has ended. Keep these recovery codes: each works
        once in place of a code from the app, and they are shown only now.
      </p>
      <ul className="codes">
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ul>
      <div className="actions">
        <button type="button" className="button" onClick={save}>
          Download the codes
        </button>
      </div>
    </div>
  )
}

interface ConfirmProps {
  readonly secret: TotpSecret
  readonly onConfirmed: (codes: readonly string[]) => void
}

function ConfirmSecret({ secret, onConfirmed }: ConfirmProps) {
  const client = useClient()
  const queries = useQueryClient()
  const confirm = useMutation({
    mutationFn: (code: string) => client.post('/api/v1/auth/totp/confirm', { body: { code } }),
    onSuccess: ({ recovery_codes: codes }) => {
      onConfirmed(codes)
      return queries.invalidateQueries({ queryKey: ['sessions'] })
    },
  })
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    confirm.mutate(fieldText(new FormData(event.currentTarget), 'code').trim())
  }
  return (
    <form onSubmit={submit} className="stack">
      <p>
        Add this secret to your authenticator app: <a href={secret.otpauth_uri}>open it in an app on this device</a>, or
        type it into the app as a key that is based on time.
      </p>
      <CopyId label="Secret" value={secret.secret} />
      <label className="field">
        <span>Code that the app shows</span>
        <input name="code" autoComplete="one-time-code" inputMode="numeric" required />
      </label>
      <div className="actions">
        <WriteButton type="submit" className="button primary" disabled={confirm.isPending}>
          Turn the second factor on
        </WriteButton>
      </div>
      {confirm.error === null ? null : <Failed error={confirm.error} />}
    </form>
  )
}

function Enroll() {
  const client = useClient()
  const [codes, setCodes] = useState<readonly string[] | null>(null)
  const enroll = useMutation({
    mutationFn: (password: string) => client.post('/api/v1/auth/totp/enroll', { body: { password } }),
  })
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    enroll.mutate(fieldText(new FormData(event.currentTarget), 'password'))
  }
  if (codes !== null) return <RecoveryCodes codes={codes} />
  if (enroll.data !== undefined) return <ConfirmSecret secret={enroll.data} onConfirmed={setCodes} />
  return (
    <form onSubmit={submit} className="stack">
      <label className="field">
        <span>Password</span>
        <input type="password" name="password" autoComplete="current-password" required />
      </label>
      <div className="actions">
        <WriteButton type="submit" className="button" disabled={enroll.isPending}>
          Get a secret
        </WriteButton>
      </div>
      {enroll.error === null ? null : <Failed error={enroll.error} />}
    </form>
  )
}

function Disable() {
  const client = useClient()
  const disable = useMutation({
    mutationFn: (body: { password: string; code: string }) => client.post('/api/v1/auth/totp/disable', { body }),
  })
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const form = event.currentTarget
    const data = new FormData(form)
    disable.mutate(
      { password: fieldText(data, 'password'), code: fieldText(data, 'code').trim() },
      { onSuccess: () => form.reset() },
    )
  }
  return (
    <form onSubmit={submit} className="stack">
      <div className="columns">
        <label className="field">
          <span>Password</span>
          <input type="password" name="password" autoComplete="current-password" required />
        </label>
        <label className="field">
          <span>Code from the app, or a recovery code</span>
          <input name="code" autoComplete="one-time-code" required />
        </label>
      </div>
      <div className="actions">
        <WriteButton type="submit" className="button" disabled={disable.isPending}>
          Turn the second factor off
        </WriteButton>
        <span role="status" className="muted">
          {disable.isSuccess ? 'The second factor is off.' : ''}
        </span>
      </div>
      {disable.error === null ? null : <Failed error={disable.error} />}
    </form>
  )
}

export function SecondFactorCard() {
  return (
    <Card title="Second factor">
      <p>With an authenticator app, nobody can sign in with your password alone.</p>
      <details>
        <summary>Set up an authenticator app</summary>
        <Enroll />
      </details>
      <details>
        <summary>Turn it off</summary>
        <Disable />
      </details>
    </Card>
  )
}
