// The rights of an issuer's access token. Issuers name scopes and roles differently, so the operator configures the
// claims. A right without a configured claim is not granted.
import type { JWTPayload } from 'jose'
import { AppError } from '../errors.ts'

export interface TokenRules {
  /** The claim with the scopes; null for `scope` (RFC 8693 §4.2) or `scp` (Okta, Entra ID). */
  readonly scopeClaim: string | null
  /**
   * Without this scope a token is read-only. Null: only a token with the scope `read` and without `write` is read-only.
   */
  readonly writeScope: string | null
  /** A token is an administrator's if the claim equals or lists the value; null for none. */
  readonly admin: { readonly claim: string; readonly value: string } | null
}

/** A token with this scope may read the metrics and nothing else, for any role. */
export const metricsScope = 'metrics'

const mostNames = 1000

const unauthorized = (reason: string): AppError =>
  new AppError('unauthorized', 'A valid access token is required.', { reason })

/** A claim by its whole name, else by its path: `realm_access.roles`. */
function claimAt(payload: JWTPayload, name: string): unknown {
  if (Object.hasOwn(payload, name)) return payload[name]
  let found: unknown = payload
  for (const step of name.split('.')) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, step)) return undefined
    found = Reflect.get(found, step)
  }
  return found
}

const isTextList = (claim: unknown): claim is string[] =>
  Array.isArray(claim) && claim.length <= mostNames && claim.every((name) => typeof name === 'string' && name !== '')

/** @throws AppError `unauthorized` for a claim that is neither a string nor a list of strings */
function namesIn(payload: JWTPayload, claim: string): readonly string[] | null {
  const value = claimAt(payload, claim)
  if (value === undefined || value === null) return null
  if (typeof value === 'string') return value.split(' ').filter((name) => name !== '')
  if (isTextList(value)) return value
  throw unauthorized(`malformed claim ${claim}`)
}

/** @throws AppError `unauthorized` if both claims exist and differ: neither may extend the other */
function scopesIn(payload: JWTPayload, claim: string | null): readonly string[] {
  if (claim !== null) return namesIn(payload, claim) ?? []
  const [scope, scp] = [namesIn(payload, 'scope'), namesIn(payload, 'scp')]
  if (scope !== null && scp !== null && scope.toSorted().join(' ') !== scp.toSorted().join(' '))
    throw unauthorized('scope and scp differ')
  return scope ?? scp ?? []
}

/**
 * The scopes of a token: `read`, and `write` if it has the configured scope for writing; else its own scopes. Those of a
 * token for the metrics stay as they are.
 * @throws AppError `unauthorized` for malformed claims
 */
export function scopesOf(payload: JWTPayload, { scopeClaim, writeScope }: TokenRules): readonly string[] {
  const scopes = scopesIn(payload, scopeClaim)
  if (writeScope === null || scopes.includes(metricsScope)) return scopes
  return scopes.includes(writeScope) ? ['read', 'write'] : ['read']
}

/** @throws AppError `unauthorized` for a malformed claim */
export function isAdministrator(payload: JWTPayload, { admin }: TokenRules): boolean {
  if (admin === null) return false
  const value = claimAt(payload, admin.claim)
  return value === admin.value || (isTextList(value) && value.includes(admin.value))
}
