// The requests that begin, continue and end a session.
import { type AccessToken, cookieSession, createClient } from '@wealthnavigator/client'
import { own } from './own.ts'

export interface ConsoleSettings {
  readonly environment: 'development' | 'staging' | 'production'
  /** Accounts of this deployment, or of an identity provider; none if the provider does not know the console. */
  readonly signIn: 'accounts' | 'provider' | 'none'
  /** Whether a person at this machine may continue as the demo user. */
  readonly demo: boolean
  /** The same, as an administrator. */
  readonly operator: boolean
  /** The page of the simulated bank, on a laptop only. */
  readonly bankUrl: string | null
}

export interface Credentials {
  readonly email: string
  readonly password: string
  /** Of the second factor. */
  readonly code?: string
}

const baseUrl = window.location.origin
/** A refusal is shown immediately, also one with a time to wait: the person reads how long. */
const anonymous = createClient({ baseUrl, cookies: true, longestWaitSeconds: 0 })

export async function readSettings(): Promise<ConsoleSettings> {
  const { environment, sign_in: signIn, demo, operator, bank_url: bankUrl } = await own('GET', '/console/settings')
  return {
    environment: environment === 'development' || environment === 'staging' ? environment : 'production',
    signIn: signIn === 'accounts' || signIn === 'provider' ? signIn : 'none',
    demo: demo === true,
    operator: operator === true,
    bankUrl: typeof bankUrl === 'string' ? bankUrl : null,
  }
}

export async function continueDemo(kind: 'demo' | 'operator'): Promise<AccessToken> {
  const { access_token: token, expires_in: expiresIn } = await own(
    'POST',
    kind === 'demo' ? '/console/demo' : '/console/operator',
  )
  if (typeof token !== 'string' || typeof expiresIn !== 'number') throw new Error('The demo session has no token.')
  return { token, expiresIn }
}

/** What a token says. It is ours and was just received, so its signature does not matter; the API decides what is allowed. */
function claimsOf(given: AccessToken): { readonly sub?: unknown; readonly role?: unknown } {
  const token = typeof given === 'string' ? given : given.token
  try {
    const claims: unknown = JSON.parse(atob((token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/')))
    return typeof claims === 'object' && claims !== null ? claims : {}
  } catch {
    return {}
  }
}

export const isAdministrators = (given: AccessToken): boolean => claimsOf(given).role === 'admin'

/** Whether both tokens are of one person. */
export const areOfOne = (one: AccessToken, other: AccessToken): boolean => claimsOf(one).sub === claimsOf(other).sub

export async function signInAccount(credentials: Credentials): Promise<AccessToken> {
  const body = { ...credentials, transport: 'cookie' } as const
  const session = await anonymous.post('/api/v1/auth/login', { body })
  return { token: session.access_token, expiresIn: session.expires_in }
}

/** The response does not say whether the address has an account. */
export async function registerAccount(body: { readonly email: string; readonly password: string }): Promise<void> {
  await anonymous.post('/api/v1/auth/register', { body })
}

export interface Verification {
  /** Of the e-mail. */
  readonly code: string
  readonly password: string
}

/** Creates the account, and signs in. */
export async function verifyAccount(given: Verification): Promise<AccessToken> {
  const session = await anonymous.post('/api/v1/auth/verify-email', { body: { ...given, transport: 'cookie' } })
  return { token: session.access_token, expiresIn: session.expires_in }
}

/** The response does not say whether the address has an account. */
export async function forgotPassword(email: string): Promise<void> {
  await anonymous.post('/api/v1/auth/password/forgot', { body: { email } })
}

export async function resetPassword(body: { readonly code: string; readonly new_password: string }): Promise<void> {
  await anonymous.post('/api/v1/auth/password/reset', { body })
}

const refresh = cookieSession({ baseUrl })

/** One tab at a time: a refresh token works once, and a second use would end the session. */
export async function refreshAccount(): Promise<AccessToken> {
  return await navigator.locks.request('wealthnavigator.refresh', () => refresh({ refused: null }))
}

export async function signOutAccount(): Promise<void> {
  await anonymous.post('/api/v1/auth/logout', { body: {} })
}
