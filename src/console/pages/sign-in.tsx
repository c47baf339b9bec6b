// The first page for who is not signed in: what this is, and the ways in.
import { ProblemError } from '@wealthnavigator/client'
import { type FormEvent, lazy, Suspense, useEffect, useState } from 'react'
import { returnPath } from '../connect/return-path.ts'
import type { ConsoleSettings, Credentials } from '../api/sign-in.ts'
import { type EndReason, useSession } from '../api/session.tsx'
import { navigate, useLocation } from '../router/location.ts'
import { useAttempt } from '../sign-in/attempt.ts'
import { Field, focusOn, Panel, Refusal } from '../sign-in/form.tsx'
import { isAccountPath } from '../sign-in/paths.ts'
import { NoProvider, ProviderSignIn } from '../sign-in/provider.tsx'
import { Ways } from '../sign-in/ways.tsx'
import { fieldText } from '../ui/form.ts'
import { Failed, Loading } from '../ui/states.tsx'
import icon from '../icon.svg'

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

/** The second factor is asked for once the API says that the account has one. */
function AccountForm({ takesFocus }: { readonly takesFocus: boolean }) {
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
    <Panel title="Sign in">
      <form onSubmit={submit} className="stack">
        <Field label="E-mail">
          <input ref={takesFocus ? focusOn : undefined} type="email" name="email" autoComplete="username" required />
        </Field>
        <Field label="Password">
          <input type="password" name="password" autoComplete="current-password" required />
        </Field>
        {needsCode ? (
          <Field label="Code from your authenticator app, or a recovery code">
            <input ref={focusOn} name="code" autoComplete="one-time-code" required />
          </Field>
        ) : null}
        <button type="submit" className="button wide" disabled={busy}>
          {busy ? 'Signing in…' : 'Sign in'}
        </button>
      </form>
      {needsCode && code === 'totp_required' ? (
        <p className="notice" role="status">
          This account has a second factor. Enter the code that your authenticator app shows, or a recovery code.
        </p>
      ) : (
        <Refusal error={error} />
      )}
      <Ways names={['register', 'forgot', 'reset']} />
    </Panel>
  )
}

const ProviderWay = ({ isKnown }: { readonly isKnown: boolean }) => (isKnown ? <ProviderSignIn /> : <NoProvider />)

const AccountPages = lazy(() => import('../sign-in/account-pages.tsx'))

interface EntrancesProps {
  readonly settings: ConsoleSettings
  readonly reason: EndReason | null
}

/** Why the person sees this page; null if they came by themselves. */
function noticeOf(reason: EndReason | null, pathname: string): string | null {
  if (reason === 'password_reset') return 'The new password is set. Sign in with it.'
  if (reason === 'expired') return 'Your session has ended. Sign in again to continue where you were.'
  if (pathname === returnPath)
    return 'You are back from your bank. The server finishes the connection: sign in to see it, or go back to the tab where you began.'
  return null
}

function Entrances({ settings, reason }: EntrancesProps) {
  const { pathname } = useLocation()
  const isOfAccounts = settings.signIn === 'accounts' && isAccountPath(pathname)
  // The element that had the focus goes with its page.
  const [isBack, setBack] = useState(false)
  useEffect(() => {
    if (isOfAccounts) setBack(true)
  }, [isOfAccounts])
  if (isOfAccounts)
    return (
      <Suspense fallback={<Loading label="Loading the page" />}>
        <AccountPages />
      </Suspense>
    )
  const notice = noticeOf(reason, pathname)
  return (
    <>
      {notice === null ? null : (
        <p
          ref={isBack ? focusOn : undefined}
          tabIndex={-1}
          className={reason === 'expired' ? 'notice warn' : 'notice'}
          role="status"
        >
          {notice}
        </p>
      )}
      <div className="ways">
        {settings.demo ? <Demo hasOperator={settings.operator} /> : null}
        {settings.signIn === 'accounts' ? (
          <AccountForm takesFocus={isBack && notice === null} />
        ) : (
          <ProviderWay isKnown={settings.signIn === 'provider'} />
        )}
      </div>
    </>
  )
}

export function SignIn() {
  const { state, start } = useSession()
  return (
    <main className="gate">
      <header>
        <img src={icon} alt="" width="44" height="44" />
        <h1>WealthNavigator</h1>
        <p className="lead">Your banks in one place, on your own server.</p>
      </header>
      {state.name === 'failed' ? <Failed error={state.error} retry={start} /> : null}
      {'settings' in state ? (
        <Entrances settings={state.settings} reason={state.name === 'signed_out' ? state.reason : null} />
      ) : null}
      <footer>
        <a href="/docs">API reference</a>
      </footer>
    </main>
  )
}
