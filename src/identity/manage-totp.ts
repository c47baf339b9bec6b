// Manages the second factor. Enrolling needs the password, activation needs the first code, removal needs the password
// and a code.
import { audit } from '../audit/audit.ts'
import type { Ctx, User } from '../context.ts'
import * as store from '../db/identity/totp.ts'
import { sealTotpSecret } from '../custody/totp-secret.ts'
import { AppError, assertNever } from '../errors.ts'
import { closeSockets } from '../live/announce.ts'
import { newCode } from './codes.ts'
import { notify } from './notify.ts'
import { reauthenticate } from './reauthenticate.ts'
import { invalidCode, requireAttempt, sessionEnded } from './errors.ts'
import { isTotpCode, readSecondFactor } from './second-factor.ts'
import { sessionOf } from './session.ts'
import { knownClientTotp, recovery } from './throttles.ts'
import { identityServices } from './services.ts'
import { describeTotp, newTotpSecret } from './totp.ts'

const recoveryCodeCount = 10

const conflict = (detail: string): AppError => new AppError('conflict', detail)

/**
 * Returns a new secret as text and as an `otpauth:` URI. It is inactive until `confirmTotp`.
 * @throws AppError `invalid_credentials`, `conflict` (a second factor is active), `rate_limited`, `unauthorized`
 */
export async function enrollTotp(ctx: Ctx<User>, password: string): Promise<{ secret: string; uri: string }> {
  const { email, passwordHash, admitted } = await reauthenticate(ctx, password)
  const key = sessionOf(ctx)
  const secret = newTotpSecret()
  const sealed = await sealTotpSecret(ctx.services.keyring, secret, key.accountId)
  const { database } = await identityServices(ctx.services)
  const outcome = await store.enrollTotp(
    database,
    key,
    passwordHash,
    sealed,
    admitted,
    await audit(ctx, { action: 'totp_enrolled', target: null }),
  )
  if (outcome === 'changed') throw sessionEnded('the account changed meanwhile')
  if (outcome === 'enabled') throw conflict('A second factor is there already; disable it first.')
  return describeTotp(secret, email)
}

/**
 * Activates the enrolled secret and ends every other session. Returns the recovery codes, which cannot be read again.
 * @throws AppError `invalid_code`, `conflict` (nothing is enrolled), `unauthorized`
 */
export async function confirmTotp(ctx: Ctx<User>, code: string): Promise<{ recoveryCodes: string[] }> {
  const identity = await identityServices(ctx.services)
  const key = sessionOf(ctx)
  const enrolled = await store.enrolledTotp(identity.database, key)
  if (enrolled === null) throw sessionEnded('ended')
  if (enrolled.sealed === null || enrolled.confirmed) throw conflict('There is no second factor to confirm.')
  const account = { id: key.accountId, totpSecretSealed: enrolled.sealed }
  const { step } = await readSecondFactor(ctx.services.keyring, account, code, ctx.now())
  if (step === null) throw invalidCode('does not fit the enrolled secret')
  const codes = await Promise.all(Array.from({ length: recoveryCodeCount }, () => newCode('recovery')))
  const recoveryHashes = codes.map(({ hash }) => hash)
  const wish = { sealed: enrolled.sealed, step, recoveryHashes }
  const email = await store.enableTotp(
    identity.database,
    key,
    wish,
    await audit(ctx, { action: 'totp_enabled', target: null }),
  )
  if (email === null) throw conflict('There is no second factor to confirm.')
  await closeSockets(ctx, ctx.actor.identity, 'signed_out')
  await notify(identity, 'totp_enabled', email, ctx.log)
  return { recoveryCodes: codes.map(({ text }) => text) }
}

/**
 * Removes the second factor, with the password and a code.
 * @throws AppError `invalid_credentials`, `invalid_code`, `conflict` (there is none), `rate_limited`, `unauthorized`
 */
export async function disableTotp(
  ctx: Ctx<User>,
  { password, code }: { readonly password: string; readonly code: string },
): Promise<void> {
  const { email, passwordHash, totpSecretSealed, totpConfirmed, admitted } = await reauthenticate(ctx, password)
  const key = sessionOf(ctx)
  if (totpSecretSealed === null || !totpConfirmed) throw conflict('There is no second factor.')
  const account = { id: key.accountId, totpSecretSealed }
  const secondFactor = await readSecondFactor(ctx.services.keyring, account, code, ctx.now())
  const factorBuckets = (isTotpCode(code) ? knownClientTotp : recovery)(key.accountId, key.sessionId)
  const wish = { passwordHash, sealed: totpSecretSealed, secondFactor, admitted, factorBuckets }
  const identity = await identityServices(ctx.services)
  const { outcome, retry_after: retryAfter } = await store.disableTotp(
    identity.database,
    key,
    wish,
    await audit(ctx, { action: 'totp_disabled', target: null }),
  )
  switch (outcome) {
    case 'done':
      return await notify(identity, 'totp_disabled', email, ctx.log)
    case 'refused':
      throw invalidCode('second factor wrong or used')
    case 'limited':
      return requireAttempt(retryAfter, 'too many codes')
    case 'changed':
      throw sessionEnded('the account changed meanwhile')
    default:
      assertNever(outcome)
  }
}
