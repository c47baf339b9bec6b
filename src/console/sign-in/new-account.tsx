// Creates an account: e-mail and password, then the code of the e-mail. The pages say the same for an address that has an account
// already, so they do not reveal whether one exists. The e-mail tells its owner.
import { ProblemError } from '@wealthnavigator/client'
import { type FormEvent, useState } from 'react'
import { registerAccount } from '../api/sign-in.ts'
import { useSession } from '../api/session.tsx'
import { fieldText } from '../ui/form.ts'
import { useAttempt } from './attempt.ts'
import { CodeField, EmailField, NewPasswordField } from './fields.tsx'
import { Field, Panel, Refusal } from './form.tsx'
import { LogHint, Mailed, Ways } from './ways.tsx'

export function Register({ onMailed }: { readonly onMailed: (email: string, password: string) => void }) {
  const { busy, error, attempt } = useAttempt()
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const data = new FormData(event.currentTarget)
    const [email, password] = [fieldText(data, 'email').trim(), fieldText(data, 'password')]
    attempt(async () => {
      await registerAccount({ email, password })
      onMailed(email, password)
    })
  }
  return (
    <Panel title="Create an account">
      <form onSubmit={submit} className="stack">
        <EmailField />
        <NewPasswordField label="Password" />
        <button type="submit" className="button primary wide" disabled={busy}>
          {busy ? 'Sending…' : 'Send me the code'}
        </button>
      </form>
      <Refusal error={error} />
      <Ways names={['signIn', 'verify', 'forgot']} />
    </Panel>
  )
}

interface VerifyProps {
  /** Where the e-mail was sent a moment ago; null after a reload and from its link. */
  readonly email: string | null
  readonly password: string | null
  /** Of the link. */
  readonly code: string
  readonly onDone: () => void
}

const wordsOf = (error: unknown): string | null => {
  const code = error instanceof ProblemError ? error.code : null
  if (code === 'invalid_token')
    return 'This code is wrong, was used before, or is older than 24 hours. Check it, or create the account again for a new one.'
  if (code === 'invalid_credentials') return 'This is not the password that you chose when you registered.'
  return null
}

export function Verify({ email, password, code, onDone }: VerifyProps) {
  const { verify } = useSession()
  const { busy, error, attempt } = useAttempt()
  const [needsPassword, setNeedsPassword] = useState(password === null)
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const data = new FormData(event.currentTarget)
    const typed = needsPassword ? fieldText(data, 'password') : (password ?? '')
    attempt(async () => {
      try {
        await verify({ code: fieldText(data, 'code').trim(), password: typed })
        onDone()
      } catch (thrown) {
        // An earlier registration of the address had another password.
        if (thrown instanceof ProblemError && thrown.code === 'invalid_credentials') setNeedsPassword(true)
        throw thrown
      }
    })
  }
  return (
    <Panel title="Confirm your e-mail address">
      {email === null ? (
        <p>Enter the password that you chose when you registered.</p>
      ) : (
        <Mailed to={email}>
          Its code is valid for 24 hours. If the address has an account already, the e-mail says so, and has no code.
        </Mailed>
      )}
      <LogHint />
      <form onSubmit={submit} className="stack">
        <CodeField code={code} />
        {needsPassword ? (
          <Field label="Password">
            <input type="password" name="password" autoComplete="current-password" maxLength={256} required />
          </Field>
        ) : null}
        <button type="submit" className="button primary wide" disabled={busy}>
          {busy ? 'Confirming…' : 'Confirm and sign in'}
        </button>
      </form>
      <Refusal error={error} words={wordsOf(error)} />
      <Ways names={['register', 'signIn']} />
    </Panel>
  )
}
