// The console's sign-in with the deployment's identity provider (docs/console.md). Tokens stay between the provider and the
// Worker, but for the access token, which the page keeps in memory.
import type { AuthConfig } from '../auth/access-token.ts'
import type { ProviderConfig } from '../config/config.ts'
import type { Keyring } from '../crypto/keyring.ts'
import { sealSession, type StoredSession } from '../custody/console-cookies.ts'
import { AppError } from '../errors.ts'
import { boundedFetch, type Fetch } from './bounded-fetch.ts'
import { createOidcClient, type Tokens } from './client.ts'
import { createMetadata } from './metadata.ts'
import {
  continueSession,
  type Continued,
  createSingleFlight,
  type Ended,
  endSession,
  type SessionCookies,
} from './session.ts'
import { type Begun, beginSignIn, type Completed, completeSignIn, type SignInOptions } from './sign-in.ts'

export interface ProviderOptions {
  readonly config: ProviderConfig
  readonly strict: boolean
  readonly auth: Extract<AuthConfig, { mode: 'oidc' }>
  readonly keyring: Keyring
  readonly fetch: Fetch
  readonly now: () => Date
}

export interface Provider {
  begin(returnTo: string | null): Promise<Begun>
  complete(callback: URLSearchParams, sealedOf: (id: string) => string | null): Promise<Completed>
  continue(cookies: SessionCookies): Promise<Continued>
  end(cookies: SessionCookies): Promise<Ended>
  /** The cookie of a session, for one browser. @throws AppError `unauthorized` if a token is too long for a cookie */
  seal(session: StoredSession, browser: string): Promise<string>
}

/** What an envelope holds, and room for the other members. */
const mostTokenBytes = 7500

export function createProvider({ config, strict, auth, keyring, fetch, now }: ProviderOptions): Provider {
  const ask = boundedFetch(fetch)
  const metadata = createMetadata({ config, strict, ask, now })
  const client = createOidcClient({ config, ask, metadata })
  const options: SignInOptions = { clientId: config.clientId, client, auth, keyring, now }
  const flight = createSingleFlight<Tokens>(now)
  return {
    begin: (returnTo) => beginSignIn(options, returnTo),
    complete: (callback, sealedOf) => completeSignIn(options, callback, sealedOf),
    continue: (cookies) => continueSession(options, flight, cookies),
    end: (cookies) => endSession(options, cookies),
    async seal(session, browser) {
      const { token, idToken } = session
      if (token.length > mostTokenBytes)
        throw new AppError('unauthorized', 'The session cannot be kept.', {
          reason: 'the token is too long for a cookie',
        })
      const fits = token.length + (idToken?.length ?? 0) <= mostTokenBytes
      return await sealSession(keyring, fits ? session : { ...session, idToken: null }, config.clientId, browser)
    },
  }
}
