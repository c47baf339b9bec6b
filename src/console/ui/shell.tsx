// What is around every page: the navigation, who is signed in, and whether the browser is offline.
import { useMutation, useQuery } from '@tanstack/react-query'
import { type ReactNode, useRef, useSyncExternalStore } from 'react'
import { useClient } from '../api/context.tsx'
import { itemsQuery } from '../api/queries.ts'
import { useSession } from '../api/session.tsx'
import { useFreshData } from '../api/fresh-data.ts'
import { ConnectProblem } from '../connect/problem.tsx'
import { itemWords } from '../format/words.ts'
import { pages } from '../pages.ts'
import { useCurrentInView } from '../router/current-in-view.ts'
import { Link } from '../router/link.tsx'
import { useLocation } from '../router/location.ts'
import icon from '../icon.svg'
import { ReadOnlyNotice } from './read-only.tsx'
import { Failed } from './states.tsx'

const kindWords = { demo: 'Demo user', operator: 'Demo operator', account: 'Signed in', provider: 'Signed in' } as const

function useOnline(): boolean {
  return useSyncExternalStore(
    (listener) => {
      window.addEventListener('online', listener)
      window.addEventListener('offline', listener)
      return () => {
        window.removeEventListener('online', listener)
        window.removeEventListener('offline', listener)
      }
    },
    () => navigator.onLine,
  )
}

const isBelow = (pathname: string, pattern: string): boolean =>
  pattern === '/' ? pathname === '/' : pathname === pattern || pathname.startsWith(`${pattern}/`)

/** How many banks wait for the person. */
function useAttention(): number {
  const { data = [] } = useQuery(itemsQuery(useClient()))
  return data.filter((item) => itemWords(item).action !== null).length
}

function Navigation({ isOperator }: { readonly isOperator: boolean }) {
  const { pathname } = useLocation()
  const attention = useAttention()
  const nav = useRef<HTMLElement>(null)
  useCurrentInView(nav)
  return (
    <nav ref={nav} aria-label="Pages">
      <ul>
        {pages.map(({ pattern, label, isForOperators = false }) =>
          label === undefined || (isForOperators && !isOperator) ? null : (
            <li key={pattern}>
              <Link to={pattern} aria-current={isBelow(pathname, pattern) ? 'page' : undefined}>
                {label}
                {pattern === '/banks' && attention > 0 ? (
                  <span className="count">
                    {attention}
                    <span className="visually-hidden"> need attention</span>
                  </span>
                ) : null}
              </Link>
            </li>
          ),
        )}
      </ul>
    </nav>
  )
}

/** In a tab of its own, so that the person sees here what happens there. */
const SimulatedBank = ({ url }: { readonly url: string }) => (
  <a className="bank-link" href={url} target="_blank" rel="noreferrer">
    The bank (simulator)
    <span className="visually-hidden">, opens in a new tab</span>
  </a>
)

export function Shell({ children }: { readonly children: ReactNode }) {
  const { state, signOut } = useSession()
  const online = useOnline()
  const leave = useMutation({ mutationFn: signOut })
  useFreshData()
  const isOperator = state.name === 'signed_in' && state.isOperator
  const kind = state.name === 'signed_in' ? state.kind : 'account'
  const bankUrl = 'settings' in state ? state.settings.bankUrl : null
  return (
    <div className="shell">
      <a className="skip" href="#content">
        Skip to the content
      </a>
      <header className="side">
        <Link to="/" className="brand">
          <img src={icon} alt="" width="28" height="28" />
          WealthNavigator
        </Link>
        <Navigation isOperator={isOperator} />
        {bankUrl === null ? null : <SimulatedBank url={bankUrl} />}
        <div className="who">
          <span className="muted wide-only">{kindWords[kind]}</span>
          <button
            type="button"
            className="button small quiet"
            disabled={leave.isPending}
            onClick={() => leave.mutate()}
          >
            Sign out
          </button>
        </div>
      </header>
      <main id="content">
        {online ? null : (
          <div className="notice warn" role="status">
            You are offline. You see what was loaded last; changes are not possible.
          </div>
        )}
        <ReadOnlyNotice isOperator={isOperator} />
        {leave.error === null ? null : <Failed error={leave.error} />}
        <ConnectProblem />
        {children}
      </main>
    </div>
  )
}
