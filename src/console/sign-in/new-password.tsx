// Sets a new password with a code from an e-mail. The pages say the same for an address without an account.
import { ProblemError } from '@wealthnavigator/client'
import type { FormEvent } from 'react'
import { useSession } from '../api/session.tsx'
import { forgotPassword } from '../api/sign-in.ts'
import { fieldText } from '../ui/form.ts'
import { useAttempt } from './attempt.ts'
import { CodeField, EmailField, NewPasswordField } from './fields.tsx'
import { Panel, Refusal } from './form.tsx'
import { LogHint, Mailed, Ways } from './ways.tsx'

export function Forgot({ onMailed }: { readonly onMailed: (email: string) => void }) {
  const { busy, error, attempt } = useAttempt()
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const email = fieldText(new FormData(event.currentTarget), 'email').trim()
    attempt(async () => {
      await forgotPassword(email)
      onMailed(email)
    })
  }
  return (
    <Panel title="Set a new password">
      <p>The code for a new password comes by e-mail.</p>
      <form onSubmit={submit} className="stack">
        <EmailField />
        <button type="submit" className="button primary wide" disabled={busy}>
          {busy ? 'Sending…' : 'Send me the code'}
        </button>
      </form>
      <Refusal error={error} />
      <Ways names={['reset', 'signIn', 'register']} />
    </Panel>
  )
}

interface ResetProps {
  /** Where the e-mail was sent a moment ago; null after a reload and from its link. */
  readonly email: string | null
  /** Of the link. */
  readonly code: string
  readonly onDone: () => void
}

const wordsOf = (error: unknown): string | null =>
  error instanceof ProblemError && error.code === 'invalid_token'
    ? 'This code is wrong, was used before, or is older than one hour. Check it, or ask for a new one.'
    : null

export function Reset({ email, code, onDone }: ResetProps) {
  const { reset } = useSession()
  const { busy, error, attempt } = useAttempt()
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const data = new FormData(event.currentTarget)
    attempt(async () => {
      await reset({ code: fieldText(data, 'code').trim(), new_password: fieldText(data, 'password') })
      onDone()
    })
  }
  return (
    <Panel title="Set a new password">
      {email === null ? null : (
        <Mailed to={email}>
          Its code is valid for one hour. If the address has no account, the e-mail says so, and has no code.
        </Mailed>
      )}
      <LogHint />
      <form onSubmit={submit} className="stack">
        <CodeField code={code} />
        <NewPasswordField label="New password" />
        <p className="fine">Every session of the account ends. A second factor stays on.</p>
        <button type="submit" className="button primary wide" disabled={busy}>
          {busy ? 'Setting…' : 'Set the password'}
        </button>
      </form>
      <Refusal error={error} words={wordsOf(error)} />
      <Ways names={['forgot', 'signIn']} />
    </Panel>
  )
}
