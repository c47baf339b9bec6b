// The way in with an identity provider, and why the last attempt failed.
import { providerSignInUrl } from '../api/provider.ts'
import { useLocation } from '../router/location.ts'
import { Panel } from './form.tsx'

const parameter = 'sign_in_problem'

const words: Readonly<Record<string, string>> = {
  expired: 'The sign-in took too long, or it began in another window. Begin it again.',
  denied: 'The identity provider did not let you in, or you cancelled. Try again, or ask who runs this deployment.',
  again: 'The identity provider asks you to try again.',
  interaction: 'The identity provider asks you to sign in again.',
  settings:
    'The identity provider does not accept this console. Ask who runs this deployment: the reason is in its log.',
  provider: 'The identity provider did not answer as it should. Try again in a minute.',
  token:
    'You are signed in at the identity provider, but its access token is not one for this deployment. Ask who runs it: the reason is in its log.',
}

/** The words of a failed sign-in in the address; null without one. */
function problemIn(search: string): string | null {
  const problem = new URLSearchParams(search).get(parameter)
  return problem === null ? null : (words[problem] ?? 'The sign-in failed. Try again.')
}

/** The page that the person asked for. */
function withoutProblem(search: string): string {
  const rest = new URLSearchParams(search)
  rest.delete(parameter)
  const text = rest.toString()
  return text === '' ? '' : `?${text}`
}

export function ProviderSignIn() {
  const { pathname, search } = useLocation()
  const problem = problemIn(search)
  return (
    <Panel title="Sign in">
      <p>This deployment’s identity provider asks who you are. You come back to this page.</p>
      {problem === null ? null : (
        <div className="notice bad" role="alert">
          <p>{problem}</p>
        </div>
      )}
      <a className="button primary wide" href={providerSignInUrl(pathname + withoutProblem(search))}>
        Continue to sign in
      </a>
    </Panel>
  )
}

/** The console has no client at the provider. */
export function NoProvider() {
  return (
    <p className="notice warn">
      An identity provider says who people are here, and this console is not registered with it. Who runs this
      deployment registers it and sets CONSOLE_OIDC_CLIENT_ID. The API works without it.
    </p>
  )
}
