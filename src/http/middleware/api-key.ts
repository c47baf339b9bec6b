// Who acts with an API key, or with a token that one has issued. Every request reads the key's row: nothing is cached, so
// a revoked key ends at once.
import { digestOfKey, kindOfKey } from '../../auth/api-key.ts'
import { applicationIdentity } from '../../auth/application-identity.ts'
import { verifyClientToken } from '../../auth/client-token.ts'
import { isAdminScope, isUserScope } from '../../auth/key-scopes.ts'
import { parseSubject, subjectHeader } from '../../auth/subject-header.ts'
import type { User } from '../../context.ts'
import { encodeHex } from '../../crypto/encoding.ts'
import { type UsedKey, useKey, useKeyOfToken } from '../../db/applications/use-key.ts'
import { AppError } from '../../errors.ts'
import { canonicalAddress } from '../../ratelimit/networks.ts'
import { servicesOf } from '../mount.ts'
import { refuseOverLimit, type RequestContext } from './rate-limit.ts'

const refuse = (reason: string): AppError =>
  new AppError('unauthorized', 'A valid access token is required.', { reason })

function requireLive(key: UsedKey | null): UsedKey {
  if (key === null) throw refuse('an unknown API key')
  if (key.state === 'network') throw refuse('an API key outside of its networks')
  if (key.state !== 'live') throw refuse(`an API key that is ${key.state}`)
  return key
}

/** Digests of keys that were live in this isolate. They grant nothing: they only let a key be looked up again. */
const known = new Set<string>()
const mostKnown = 1000

function remember(digest: string): void {
  if (known.size >= mostKnown) known.clear()
  known.add(digest)
}

const notValid = (detail: string): AppError =>
  new AppError('validation_failed', 'The request is not valid.', { fields: [{ pointer: 'WN-User', detail }] })

/** The user for whom an application's key acts; null without the header. */
function subjectIn(context: RequestContext): string | null {
  const header = context.req.header(subjectHeader)
  if (header === undefined) return null
  const subject = parseSubject(header)
  if (subject === null) throw notValid('Must be 1 to 255 characters of ASCII, without a comma or spaces around it.')
  return subject
}

/**
 * Looks the key up. A malformed key, or one of the other environment, costs no call of the database; neither does one from
 * an address over its limit, unless the key was live before.
 */
async function findKey(context: RequestContext, text: string): Promise<UsedKey> {
  const { api, config } = servicesOf(context)
  const kind = kindOfKey(text)
  if (kind === null) throw refuse('a malformed API key')
  if (kind !== config.apiKeys?.kind) throw refuse('an API key of the other environment')
  const digest = await digestOfKey(text)
  if (!known.has(encodeHex(digest))) refuseOverLimit(context)
  const address = canonicalAddress(context.req.header('cf-connecting-ip') ?? null)
  const key = requireLive(await useKey(api, digest, address))
  remember(encodeHex(digest))
  return key
}

/** @throws AppError `unauthorized`; `validation_failed` for a bad `WN-User`; `unavailable` */
export async function actorOfKey(context: RequestContext, text: string): Promise<User> {
  const found = await findKey(context, text)
  const { id, prefix, issuer, subject: owner, applicationId, createdAt: issuedAt, scopes } = found
  const named = subjectIn(context)
  if (owner !== null && named !== null) throw notValid('A key of a user acts for that user only.')
  const subject = owner ?? named
  if (subject !== null)
    return {
      kind: 'user',
      identity: { issuer, subject, issuedAt },
      role: 'user',
      scopes: scopes.filter(isUserScope),
      apiKey: { id, prefix, actsAs: 'user' },
    }
  if (applicationId === null) throw new TypeError('a key has neither an application nor a user')
  return {
    kind: 'user',
    identity: { ...applicationIdentity(applicationId), issuedAt },
    role: scopes.some(isAdminScope) ? 'admin' : 'user',
    scopes,
    apiKey: { id, prefix, actsAs: 'application', applicationId },
  }
}

/** The user of a token that a key has issued. @throws AppError `unauthorized`; `unavailable` */
export async function actorOfClientToken(context: RequestContext, token: string): Promise<User> {
  const { api, config } = servicesOf(context)
  const secrets = config.previousSecret === null ? [config.secret] : [config.secret, config.previousSecret]
  const { keyId, subject, scopes, issuedAt, expiresAt } = await verifyClientToken(token, secrets, new Date())
  const key = requireLive(await useKeyOfToken(api, keyId))
  if (key.subject !== null && key.subject !== subject) throw refuse('a token for another user than its key')
  return {
    kind: 'user',
    identity: { issuer: key.issuer, subject, issuedAt },
    role: 'user',
    scopes: scopes.filter((scope) => isUserScope(scope) && key.scopes.includes(scope)),
    expiresAt,
    apiKey: { id: keyId, prefix: key.prefix, actsAs: 'token' },
  }
}
