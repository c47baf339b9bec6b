// The first page for who is not signed in: what this is, and the ways in.
import { ProblemError } from '@wealthnavigator/client'
import { type FormEvent, type ReactNode, useEffect, useState } from 'react'
import type { Credentials } from '../api/sign-in.ts'
import { type SessionState, useSession } from '../api/session.tsx'
import { fieldText } from '../ui/form.ts'
import { errorWords } from '../format/words.ts'
import { navigate } from '../router/location.ts'
import { NoProvider, ProviderSignIn } from '../sign-in/provider.tsx'
import { Failed } from '../ui/states.tsx'
import icon from '../icon.svg'

function useAttempt() {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const attempt = (work: () => Promise<void>): void => {
    setBusy(true)
    setError(null)
    work()
      .catch((thrown: unknown) => setError(thrown))
      .finally(() => setBusy(false))
  }
  return { busy, error, attempt }
}

function Demo({ hasOperator }: { readonly hasOperator: boolean }) {
  const { continueAsDemo } = useSession()
  const { busy, error, attempt } = useAttempt()
  return (
    <section className="panel">
      <h2>Try it</h2>
      <p>Everything runs on this machine: the banks are simulated, and no account is needed.</p>
      <button
        type="button"
        className="button primary wide"
        disabled={busy}
        onClick={() => attempt(() => continueAsDemo())}
      >
        Continue as demo user
      </button>
      {hasOperator ? (
        <button
          type="button"
          className="button wide"
          disabled={busy}
          onClick={() => attempt(() => continueAsDemo('operator').then(() => navigate('/operations')))}
        >
          Continue as demo operator
        </button>
      ) : null}
      {error === null ? null : <Failed error={error} />}
    </section>
  )
}

function Field({ label, children }: { readonly label: string; readonly children: ReactNode }) {
  return (
    <label className="field">
      <span>{label}</span>
      {children}
    </label>
  )
}

/** The second factor is asked for once the API says that the account has one. */
function AccountForm() {
  const { signIn } = useSession()
  const { busy, error, attempt } = useAttempt()
  const code = error instanceof ProblemError ? error.code : null
  const [needsCode, setNeedsCode] = useState(false)
  useEffect(() => {
    if (code === 'totp_required') setNeedsCode(true)
  }, [code])
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const data = new FormData(event.currentTarget)
    const factor = fieldText(data, 'code')
    const credentials: Credentials = {
      email: fieldText(data, 'email'),
      password: fieldText(data, 'password'),
      ...(factor === '' ? {} : { code: factor }),
    }
    attempt(() => signIn(credentials))
  }
  return (
    <section className="panel">
      <h2>Sign in</h2>
      <form onSubmit={submit} className="stack">
        <Field label="E-mail">
          <input type="email" name="email" autoComplete="username" required />
        </Field>
        <Field label="Password">
          <input type="password" name="password" autoComplete="current-password" required />
        </Field>
        {needsCode ? (
          <Field label="Code from your authenticator app">
            <input name="code" autoComplete="one-time-code" inputMode="numeric" required />
          </Field>
        ) : null}
        <button type="submit" className="button wide" disabled={busy}>
          {busy ? 'Signing in…' : 'Sign in'}
        </button>
      </form>
      {error === null || code === 'totp_required' ? null : (
        <div className="notice bad" role="alert">
          <p>
            <strong>{errorWords(error).why}</strong> {errorWords(error).next}
          </p>
        </div>
      )}
    </section>
  )
}

const ProviderWay = ({ isKnown }: { readonly isKnown: boolean }) => (isKnown ? <ProviderSignIn /> : <NoProvider />)

function Ways({ state }: { readonly state: SessionState & { name: 'signed_out' } }) {
  const { settings, reason } = state
  return (
    <>
      {reason === 'expired' ? (
        <p className="notice warn" role="status">
          Your session has ended. Sign in again to continue where you were.
        </p>
      ) : null}
      <div className="ways">
        {settings.demo ? <Demo hasOperator={settings.operator} /> : null}
        {settings.signIn === 'accounts' ? <AccountForm /> : <ProviderWay isKnown={settings.signIn === 'provider'} />}
      </div>
    </>
  )
}

export function SignIn() {
  const { state, start } = useSession()
  useEffect(() => {
    document.title = 'Sign in · WealthNavigator'
  }, [])
  return (
    <main className="gate">
      <header>
        <img src={icon} alt="" width="44" height="44" />
        <h1>WealthNavigator</h1>
        <p className="lead">Your banks in one place, on your own server.</p>
      </header>
      {state.name === 'failed' ? <Failed error={state.error} retry={start} /> : null}
      {state.name === 'signed_out' ? <Ways state={state} /> : null}
      <footer>
        <a href="/docs">API reference</a>
      </footer>
    </main>
  )
}
