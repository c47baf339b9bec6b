// A session at an identity provider. The Worker keeps its tokens in cookies that no script can read, and gives this page access
// tokens, which stay in memory.
import { type AccessToken, ProblemError } from '@wealthnavigator/client'
import { own } from './own.ts'

/** Where the browser begins a sign-in that returns to a page of the console. */
export const providerSignInUrl = (returnTo: string): string => `/console/sign-in?return=${encodeURIComponent(returnTo)}`

export interface ProviderSession {
  readonly token: AccessToken
  /** What the provider's claims mean here is known to the Worker alone. */
  readonly isAdministrator: boolean
}

/** Of all tabs, one at a time: a refresh token may work once. */
const lock = 'wealthnavigator.provider'

async function read(): Promise<ProviderSession | null> {
  const { access_token: token, expires_in: expiresIn, administrator } = await own('POST', '/console/session')
  if (typeof token !== 'string' || typeof expiresIn !== 'number') return null
  return { token: { token, expiresIn }, isAdministrator: administrator === true }
}

/** Null if there is no session. */
export async function continueProvider(): Promise<ProviderSession | null> {
  return await navigator.locks.request(lock, async () => {
    try {
      return await read()
    } catch (error) {
      if (!(error instanceof ProblemError) || error.code !== 'unauthorized') throw error
      // The cookie of a session that has ended would be sent again and again.
      await end().catch(() => null)
      return null
    }
  })
}

async function end(): Promise<string | null> {
  const { location } = await own('POST', '/console/session/end')
  return typeof location === 'string' ? location : null
}

/** Returns the provider's page that ends its own session, if it has one. */
export async function signOutProvider(): Promise<string | null> {
  return await navigator.locks.request(lock, end)
}
