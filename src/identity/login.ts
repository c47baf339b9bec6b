// Signs a user in: one round trip that counts the attempt and reads the account, one hash, and, if the password
// matches, a second round trip that creates the session. An address without an account takes the same time as a wrong
// password.
import { auditByAccount, auditRefusal, recordRefusal } from './audit.ts'
import type { Ctx } from '../context.ts'
import { beginSignIn, finishSignIn } from '../db/identity/sessions.ts'
import type { Bucket, SecondFactor } from '../db/identity/credentials.ts'
import { AppError, assertNever } from '../errors.ts'
import { type Device, issueDeviceToken, readDeviceToken } from './device-token.ts'
import { rememberNetwork, spendHash } from './hash-budget.ts'
import { notify } from './notify.ts'
import { invalidCode, invalidCredentials, requireAttempt } from './errors.ts'
import { isTotpCode, readSecondFactor } from './second-factor.ts'
import { grant, prepareSession, type SessionScope, type SignedIn } from './session.ts'
import {
  knownDeviceSignIn,
  knownClientTotp,
  recovery,
  unknownClientSignIn,
  unknownClientTotp,
  networkIn,
} from './throttles.ts'
import { identityServices } from './services.ts'

export interface Credentials {
  /** In lower case. */
  readonly email: string
  readonly password: string
  /** Six digits of an authenticator, or a recovery code. */
  readonly code: string | null
  readonly scope: SessionScope
  /** From an earlier sign-in on this device. */
  readonly deviceToken: string | null
}

const noFactor: SecondFactor = { step: null, recoveryHash: null }

/**
 * Creates a session.
 * @throws AppError `invalid_credentials`, `totp_required`, `invalid_code`, `rate_limited`, `unavailable`
 */
export async function login(ctx: Ctx, credentials: Credentials): Promise<SignedIn> {
  const { services, now, log } = ctx
  const network = networkIn(ctx)
  const { email, password, code } = credentials
  const identity = await identityServices(services)
  const device =
    credentials.deviceToken === null ? null : await readDeviceToken(identity, email, credentials.deviceToken, now())
  const attempt = {
    email,
    deviceIssuedAt: device?.issuedAt ?? null,
    known: device === null ? [] : knownDeviceSignIn(email, device.id),
    strangers: unknownClientSignIn(email, network),
  }
  const found = await beginSignIn(identity.database, attempt)
  requireAttempt(found.retryAfterSeconds, 'too many password checks')
  if (!found.isKnownDevice) await spendHash(ctx)
  const { accountId, passwordHash, totpSecretSealed } = found
  const { matches, outdated } = await identity.passwords.verify(password, passwordHash)
  if (!matches || accountId === null || passwordHash === null) {
    await recordRefusal(ctx, accountId)
    throw invalidCredentials(accountId === null ? 'no account' : 'wrong password')
  }
  if (totpSecretSealed !== null && code === null)
    throw new AppError('totp_required', 'This account needs a code from the authenticator app.')
  const secondFactor =
    totpSecretSealed === null
      ? noFactor
      : await readSecondFactor(services.keyring, { id: accountId, totpSecretSealed }, code ?? '', now())
  const { session, token } = await prepareSession(services.newId(), credentials.scope)
  const newPasswordHash = outdated ? await identity.passwords.hash(password) : null
  const client = { device: found.isKnownDevice ? device : null, network }
  const { outcome, retry_after, role } = await finishSignIn(
    identity.database,
    {
      accountId,
      passwordHash,
      newPasswordHash,
      totpSecretSealed,
      secondFactor,
      admitted: found.isKnownDevice ? attempt.known : attempt.strangers,
      factorBuckets: factorBuckets(accountId, client, code ?? ''),
    },
    session,
    {
      done: await auditByAccount(ctx, 'signed_in', accountId, session.id),
      refused: await auditRefusal(ctx, accountId),
    },
  )
  refuseUnless(outcome, retry_after)
  await rememberNetwork(ctx)
  if (secondFactor.recoveryHash !== null) await notify(identity, 'recovery_code_used', email, log)
  ctx.note?.({ accountId })
  const claims = { subject: accountId, sessionId: session.id, scope: session.scope, role: role ?? 'user' }
  const given = await grant(identity, claims, token.text, now())
  return { ...given, ...(await issueDeviceToken(identity.secret, email, now())) }
}

interface Client {
  readonly device: Device | null
  readonly network: string
}

function factorBuckets(accountId: string, { device, network }: Client, code: string): readonly Bucket[] {
  if (!isTotpCode(code)) return recovery(accountId, device?.id ?? network)
  return device === null ? unknownClientTotp(accountId, network) : knownClientTotp(accountId, device.id)
}

function refuseUnless(outcome: Awaited<ReturnType<typeof finishSignIn>>['outcome'], retryAfterSeconds: number): void {
  switch (outcome) {
    case 'done':
      return
    case 'refused':
      throw invalidCode('second factor wrong or used')
    case 'limited':
      return requireAttempt(retryAfterSeconds, 'too many codes')
    case 'changed':
      throw invalidCredentials('the account changed meanwhile')
    default:
      assertNever(outcome)
  }
}
