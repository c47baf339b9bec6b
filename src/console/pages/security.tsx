// How the person signs in: password, second factor, sessions.
import { useSession } from '../api/session.tsx'
import { PasswordCard } from '../security/password.tsx'
import { SecondFactorCard } from '../security/second-factor.tsx'
import { SessionsCard } from '../security/sessions.tsx'
import { Page } from '../ui/page.tsx'
import { settingsTabs, Tabs } from '../ui/tabs.tsx'

/** Why there is nothing to set here. */
function Elsewhere({ isDemo }: { readonly isDemo: boolean }) {
  return (
    <section className="card">
      <h2>{isDemo ? 'The demo user has no password' : 'You sign in elsewhere'}</h2>
      <p>
        {isDemo
          ? 'Every user of this machine may continue as the demo user, so there is no password to change, no second factor and no list of sessions. With your own account, all three are here.'
          : 'Your identity provider keeps your password, second factor and sessions. Change them there.'}
      </p>
    </section>
  )
}

export default function Security() {
  const { state } = useSession()
  const kind = state.name === 'signed_in' ? state.kind : null
  return (
    <Page title="Security" lead="How you sign in, and where you are signed in.">
      <Tabs label="Settings" tabs={settingsTabs} />
      {kind === 'account' ? (
        <>
          <PasswordCard />
          <SecondFactorCard />
          <SessionsCard />
        </>
      ) : (
        <Elsewhere isDemo={kind === 'demo'} />
      )}
    </Page>
  )
}
