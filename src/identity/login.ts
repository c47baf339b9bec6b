// Signing in. One round trip that takes a place and reads, one hash, and only where that fits a second round trip that
// writes. An address without an account costs the same as a wrong password.
import type { Ctx } from '../context.ts'
import { beginSignIn, finishSignIn } from '../db/identity-sessions.ts'
import type { SecondFactor } from '../db/identity.ts'
import { AppError, assertNever } from '../errors.ts'
import { passwordThrottle, secondFactorThrottle } from './policy.ts'
import { invalidCode, invalidCredentials, requirePlace } from './refusals.ts'
import { readSecondFactor } from './second-factor.ts'
import { grant, prepareSession, type SessionGrant, type SessionScope } from './session.ts'
import { toolsOf } from './tools.ts'

export interface Credentials {
  /** In lower case. */
  readonly email: string
  readonly password: string
  /** Six digits of the authenticator, or a recovery code. */
  readonly code: string | null
  readonly scope: SessionScope
}

const noFactor: SecondFactor = { step: null, recoveryHash: null }

/**
 * A new session.
 * @throws AppError `invalid_credentials`, `totp_required`, `invalid_code`, `rate_limited`
 */
export async function login({ services, now }: Ctx, credentials: Credentials): Promise<SessionGrant> {
  const { email, password, code } = credentials
  const tools = await toolsOf(services)
  const found = await beginSignIn(services.api, email, passwordThrottle)
  requirePlace(found.retryAfterSeconds, 'too many password checks')
  const { accountId, passwordHash, totpSecretSealed } = found
  const { matches, outdated } = await tools.passwords.verify(password, passwordHash)
  if (!matches || accountId === null || passwordHash === null)
    throw invalidCredentials(accountId === null ? 'no account' : 'wrong password')
  if (totpSecretSealed !== null && code === null)
    throw new AppError('totp_required', 'This account also needs a code of its authenticator.')
  const secondFactor =
    totpSecretSealed === null
      ? noFactor
      : await readSecondFactor(services.keyring, { id: accountId, totpSecretSealed }, code ?? '', now())
  const { session, token } = await prepareSession(services.newId(), credentials.scope)
  const newPasswordHash = outdated ? await tools.passwords.hash(password) : null
  const { outcome, role } = await finishSignIn(
    services.api,
    { accountId, passwordHash, newPasswordHash, totpSecretSealed, secondFactor },
    secondFactorThrottle,
    session,
  )
  refuseUnless(outcome)
  const claims = { subject: accountId, sessionId: session.id, scope: session.scope, role: role ?? 'user' }
  return await grant(tools, claims, token.text, now())
}

function refuseUnless(outcome: Awaited<ReturnType<typeof finishSignIn>>['outcome']): void {
  switch (outcome) {
    case 'done':
      return
    case 'refused':
      throw invalidCode('second factor wrong or used')
    case 'limited':
      return requirePlace(secondFactorThrottle.windowSeconds, 'too many codes')
    case 'changed':
      throw invalidCredentials('the account changed meanwhile')
    default:
      assertNever(outcome)
  }
}
