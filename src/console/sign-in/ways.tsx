// Links between the pages of accounts, and what they say about the e-mail.
import type { ReactNode } from 'react'
import { useSession } from '../api/session.tsx'
import { Link } from '../router/link.tsx'
import { paths } from './paths.ts'

const labels = {
  signIn: 'Sign in',
  register: 'Create an account',
  verify: 'Enter the code that confirms an account',
  forgot: 'Forgot the password?',
  reset: 'Enter the code for a new password',
} as const

export function Ways({ names }: { readonly names: readonly (keyof typeof labels)[] }) {
  const isSignedIn = useSession().state.name === 'signed_in'
  return (
    <p className="links">
      {names.map((name) => (
        <Link key={name} to={paths[name]}>
          {name === 'signIn' && isSignedIn ? 'Back to the console' : labels[name]}
        </Link>
      ))}
    </p>
  )
}

/** The same for every address. The limits may withhold the e-mail, and whether they did is not known here. */
export const Mailed = ({ to, children }: { readonly to: string; readonly children: ReactNode }) => (
  <p role="status">
    If an e-mail can be sent to <strong>{to}</strong>, it arrives within minutes. Only a few are sent per hour; look in
    the spam folder too. {children}
  </p>
)

/** On a laptop, nothing is sent. */
export function LogHint() {
  const { state } = useSession()
  if (!('settings' in state) || state.settings.environment !== 'development') return null
  return (
    <div className="notice">
      <p>
        No e-mail leaves this machine: the code is in the log, as <code>mail_code</code>.
      </p>
    </div>
  )
}
