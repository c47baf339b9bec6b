// Links between the pages of who is not signed in, and where the e-mail is on a laptop.
import { useSession } from '../api/session.tsx'
import { Link } from '../router/link.tsx'
import { paths } from './paths.ts'

const labels = {
  signIn: 'Sign in',
  register: 'Create an account',
  verify: 'Enter the code of an e-mail',
  forgot: 'Forgot the password?',
} as const

export const Ways = ({ names }: { readonly names: readonly (keyof typeof labels)[] }) => (
  <p className="links">
    {names.map((name) => (
      <Link key={name} to={paths[name]}>
        {labels[name]}
      </Link>
    ))}
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
