// Distinguishes access tokens from ID, refresh and logout tokens, which an issuer signs with the same keys. Issuers
// mark them in different ways, and many do not mark access tokens.
import type { JWTHeaderParameters, JWTPayload } from 'jose'

/** RFC 9068 §2.1, and the unspecific type of issuers that do not follow it. */
const accessTypes: ReadonlySet<string> = new Set(['at+jwt', 'jwt'])
/** Keycloak's `typ` and Cognito's `token_use`, in the payload. */
const otherUses: ReadonlySet<string> = new Set(['id', 'refresh', 'offline', 'logout'])
const accessUses: ReadonlySet<string> = new Set(['bearer', 'access'])
/**
 * OpenID Connect Core §3.1.3.6 and §3.3.2.11: an ID token's hash of the access token or the code with which it was
 * issued.
 */
const hashes = ['at_hash', 'c_hash'] as const

const lower = (value: unknown): string => (typeof value === 'string' ? value.toLowerCase() : '')

/** Why a verified token is not an access token, for the log; null if it may be one. */
export function otherKindOf(header: JWTHeaderParameters, payload: JWTPayload): string | null {
  // RFC 7515 §4.1.9: a media type without a slash lacks its `application/`.
  const type = lower(header.typ).replace(/^application\//, '')
  if (type !== '' && !accessTypes.has(type)) return 'typ of another kind of token'
  if (type === 'at+jwt') return null
  const uses = [lower(payload['typ']), lower(payload['token_use'])]
  if (uses.some((use) => otherUses.has(use))) return 'a claim names another kind of token'
  if (payload['events'] !== undefined) return 'a security event and no access token'
  if (hashes.some((name) => payload[name] !== undefined)) return 'an ID token'
  // Some issuers repeat the nonce in access tokens. Those have scopes, or are marked as access tokens.
  const isMarked =
    uses.some((use) => accessUses.has(use)) || payload['scope'] !== undefined || payload['scp'] !== undefined
  return payload['nonce'] !== undefined && !isMarked ? 'an ID token' : null
}
