// Who is signed in. The access token is in memory alone; the refresh token is in a cookie that no script can read. A tab's storage
// says only that there is a session to continue.
import type { AccessToken, GetToken } from '@wealthnavigator/client'
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useRef, useState } from 'react'
import { continueProvider, signOutProvider } from './provider.ts'
import {
  areOfOne,
  continueDemo,
  isAdministrators,
  type Credentials,
  type ConsoleSettings,
  readSettings,
  refreshAccount,
  resetPassword,
  signInAccount,
  signOutAccount,
  type Verification,
  verifyAccount,
} from './sign-in.ts'

type Kind = 'demo' | 'operator' | 'account' | 'provider'
export type EndReason = 'expired' | 'signed_out' | 'password_reset'

export type SessionState =
  | { readonly name: 'starting' }
  | { readonly name: 'failed'; readonly error: Error }
  | { readonly name: 'signed_out'; readonly settings: ConsoleSettings; readonly reason: EndReason | null }
  | {
      readonly name: 'signed_in'
      readonly settings: ConsoleSettings
      readonly kind: Kind
      readonly isOperator: boolean
    }

interface Session {
  readonly state: SessionState
  readonly getToken: GetToken
  readonly start: () => void
  readonly continueAsDemo: (kind?: 'demo' | 'operator') => Promise<void>
  readonly signIn: (credentials: Credentials) => Promise<void>
  /** Of a new account. */
  readonly verify: (given: Verification) => Promise<void>
  /** Sets a new password, which ends every session of the account, and so that of this browser. */
  readonly reset: (given: Parameters<typeof resetPassword>[0]) => Promise<void>
  readonly signOut: () => Promise<void>
  readonly end: (reason: EndReason) => void
}

const SessionContext = createContext<Session | null>(null)
const storageKey = 'wealthnavigator.session'

/** Demo sessions are of the tab; accounts are of the browser, as their cookie is. A provider's session is in the cookie alone. */
const stores: Readonly<Record<Exclude<Kind, 'provider'>, () => Storage>> = {
  demo: () => sessionStorage,
  operator: () => sessionStorage,
  account: () => localStorage,
}

function remembered(): Kind | null {
  try {
    const ofTab = sessionStorage.getItem(storageKey)
    if (ofTab === 'demo' || ofTab === 'operator') return ofTab
    return localStorage.getItem(storageKey) === 'account' ? 'account' : null
  } catch {
    return null
  }
}

/** Storage may be forbidden: then a reload ends the session. */
function remember(kind: Kind | null): void {
  try {
    sessionStorage.removeItem(storageKey)
    localStorage.removeItem(storageKey)
    if (kind !== null && kind !== 'provider') stores[kind]().setItem(storageKey, kind)
  } catch {
    // Nothing to keep.
  }
}

const errorOf = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)))

export function SessionProvider({ children }: { readonly children: ReactNode }) {
  const [state, setState] = useState<SessionState>({ name: 'starting' })
  const token = useRef<AccessToken | null>(null)
  const kind = useRef<Kind | null>(null)
  /** Says whose data the pages show. */
  const shown = useRef<AccessToken | null>(null)

  const enter = useCallback((settings: ConsoleSettings, next: Kind, { token: first, isAdministrator }: Resumed) => {
    token.current = first
    shown.current = first
    kind.current = next
    remember(next)
    setState({ name: 'signed_in', settings, kind: next, isOperator: isAdministrator })
  }, [])
  const start = useCallback(() => {
    const open = async (): Promise<void> => {
      try {
        const { settings, resumed } = await begin()
        if (resumed === null) setState({ name: 'signed_out', settings, reason: null })
        else enter(settings, resumed.kind, resumed)
      } catch (error) {
        setState({ name: 'failed', error: errorOf(error) })
      }
    }
    setState({ name: 'starting' })
    void open()
  }, [enter])
  useEffect(start, [start])

  const session = useMemo((): Session => {
    const settings = 'settings' in state ? state.settings : null
    return {
      state,
      start,
      getToken: async () => {
        const first = token.current
        token.current = null
        if (first !== null) return first
        const next = (await resume(kind.current ?? 'account'))?.token ?? null
        if (next === null) {
          session.end('expired')
          throw new Error('The session has ended.')
        }
        if (shown.current === null || areOfOne(shown.current, next)) return next
        // Another tab signed in as another person, with whom this tab shares the cookie.
        session.end('expired')
        throw new Error('Another person has signed in.')
      },
      async continueAsDemo(as = 'demo') {
        if (settings !== null) enter(settings, as, ownToken(await continueDemo(as)))
      },
      async signIn(credentials) {
        if (settings !== null) enter(settings, 'account', ownToken(await signInAccount(credentials)))
      },
      async verify(given) {
        if (settings !== null) enter(settings, 'account', ownToken(await verifyAccount(given)))
      },
      async reset(given) {
        await resetPassword(given)
        // The session here may be of another account. Its cookie goes too, and a failure to end it is no failure of the reset.
        if (kind.current === 'account') await signOutAccount().catch(() => null)
        session.end('password_reset')
      },
      async signOut() {
        if (kind.current === 'account') await signOutAccount()
        const location = kind.current === 'provider' ? await signOutProvider() : null
        kind.current = null
        session.end('signed_out')
        // The provider's page ends its own session, and leads back here.
        if (location !== null) window.location.assign(location)
      },
      end(reason) {
        // Who was erased must not be signed in again by the cookie. A failure leaves a session that the API refuses.
        if (kind.current === 'provider' && reason === 'signed_out') void signOutProvider().catch(() => null)
        token.current = null
        shown.current = null
        kind.current = null
        remember(null)
        // A late refusal does not hide why the session ended.
        if (settings !== null)
          setState((now) =>
            now.name === 'signed_out' && reason === 'expired' ? now : { name: 'signed_out', settings, reason },
          )
      },
    }
  }, [state, start, enter])
  return <SessionContext value={session}>{children}</SessionContext>
}

interface Resumed {
  readonly token: AccessToken
  readonly isAdministrator: boolean
}

/** The claims of this deployment's tokens are known here. */
const ownToken = (token: AccessToken): Resumed => ({ token, isAdministrator: isAdministrators(token) })

/** Null if a provider's session has ended. */
async function resume(kind: Kind): Promise<Resumed | null> {
  if (kind === 'provider') return await continueProvider()
  return ownToken(kind === 'account' ? await refreshAccount() : await continueDemo(kind))
}

interface Begun {
  readonly settings: ConsoleSettings
  readonly resumed: (Resumed & { readonly kind: Kind }) | null
}

/** The settings, and the session of an earlier page. One that has ended is no failure. */
async function begin(): Promise<Begun> {
  const settings = await readSettings()
  const kind = settings.signIn === 'provider' ? 'provider' : remembered()
  if (kind === null || (kind === 'demo' && !settings.demo) || (kind === 'operator' && !settings.operator))
    return { settings, resumed: null }
  try {
    const resumed = await resume(kind)
    return { settings, resumed: resumed === null ? null : { ...resumed, kind } }
  } catch (error) {
    if (!isRefused(error)) throw error
    remember(null)
    return { settings, resumed: null }
  }
}

const isRefused = (error: unknown): boolean =>
  error instanceof Error && 'status' in error && (error.status === 401 || error.status === 404)

export function useSession(): Session {
  const session = useContext(SessionContext)
  if (session === null) throw new Error('useSession needs a SessionProvider.')
  return session
}
