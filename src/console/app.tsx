// The whole: who is signed in, the data of the API, and the page that the address names.
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { ProblemError } from '@wealthnavigator/client'
import { lazy, Suspense, useEffect, useState } from 'react'
import { ApiProvider } from './api/context.tsx'
import { noteFrozen } from './api/read-only.ts'
import { SessionProvider, useSession } from './api/session.tsx'
import { ConnectProvider } from './connect/provider.tsx'
import { pageAt } from './pages.ts'
import { SignIn } from './pages/sign-in.tsx'
import { isErasing } from './privacy/under-way.ts'
import { useLocation } from './router/location.ts'
import { matchPath } from './router/match.ts'
import { isAccountPath } from './sign-in/paths.ts'
import { Boundary } from './ui/boundary.tsx'
import { Shell } from './ui/shell.tsx'
import { Loading } from './ui/states.tsx'

function createQueries(onUnauthorized: () => void): QueryClient {
  const queries = new QueryClient({
    // The client repeats what is safe to repeat.
    defaultOptions: { queries: { retry: false, staleTime: 30_000, gcTime: 10 * 60_000 }, mutations: { retry: false } },
  })
  queries.getQueryCache().subscribe(({ type, query }) => {
    const { error } = query.state
    if (type === 'updated' && error instanceof ProblemError && error.code === 'unauthorized' && !isErasing())
      onUnauthorized()
  })
  queries.getMutationCache().subscribe(({ mutation }) => noteFrozen(queries, mutation?.state.error))
  return queries
}

function Page() {
  const { pathname } = useLocation()
  const { state } = useSession()
  const { key, Component, params } = pageAt(pathname, state.name === 'signed_in' && state.isOperator)
  return (
    <Boundary key={`${key} ${Object.values(params).join(' ')}`}>
      <Suspense fallback={<Loading label="Loading the page" />}>
        <Component {...params} />
      </Suspense>
    </Boundary>
  )
}

function SignedIn() {
  const { end } = useSession()
  const [queries] = useState(() => createQueries(() => end('expired')))
  // Nothing that one person read is shown to the next.
  useEffect(() => () => queries.clear(), [queries])
  return (
    <QueryClientProvider client={queries}>
      <ApiProvider>
        <ConnectProvider>
          <Shell>
            <Page />
          </Shell>
        </ConnectProvider>
      </ApiProvider>
    </QueryClientProvider>
  )
}

const Erased = lazy(() => import('./pages/erased.tsx'))

function Content() {
  const { state } = useSession()
  const { pathname } = useLocation()
  const erased = matchPath('/erased/:id', pathname)
  // An erased person has no session.
  if (erased !== null)
    return (
      <Suspense fallback={<Loading label="Loading the page" />}>
        <Erased id={erased['id'] ?? ''} />
      </Suspense>
    )
  if (state.name === 'starting') return <Loading label="Loading the console" />
  // A link of an e-mail opens its page, also for a signed-in person.
  const isOfAccounts = 'settings' in state && state.settings.signIn === 'accounts' && isAccountPath(pathname)
  return state.name === 'signed_in' && !isOfAccounts ? <SignedIn /> : <SignIn />
}

export function App() {
  return (
    <Boundary>
      <SessionProvider>
        <Content />
      </SessionProvider>
    </Boundary>
  )
}
