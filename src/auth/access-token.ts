// Verifies access tokens, either HS256 tokens of this deployment or those of one OIDC issuer, never both. All refusals
// have the same response; `reason` is for the log.

import { errors, jwtVerify, type JWTPayload, type JWTVerifyOptions } from 'jose'
import * as z from 'zod'
import { AppError } from '../errors.ts'
import type { FetchHooks, JwksSource } from './jwks.ts'
import { otherKindOf } from './token-kind.ts'
import { isAdministrator, scopesOf, type TokenRules } from './token-rights.ts'

/** `iss` of tokens signed with `SECRET_KEY`. */
export const LOCAL_ISSUER = 'wealthnavigator-edge'
export const CLOCK_SKEW_SECONDS = 60
const minSecretBytes = 32
/** RFC 9864 deprecates `EdDSA` for `Ed25519`. */
export const OIDC_ALGORITHMS = ['RS256', 'ES256', 'Ed25519', 'EdDSA']

export type AuthConfig =
  /**
   * Tokens of this deployment; `secret` is `SECRET_KEY` as UTF-8, at least 32 bytes. `previousSecret` also verifies, during
   * a rotation of the key.
   */
  | { readonly mode: 'builtin'; readonly secret: Uint8Array; readonly previousSecret: Uint8Array | null }
  /** Tokens of an OpenID provider, verified with its published keys. */
  | {
      readonly mode: 'oidc'
      readonly issuer: string
      readonly audience: string
      readonly jwks: JwksSource
      readonly rules: TokenRules
      /** Tokens that are valid for longer are refused. */
      readonly longestSeconds: number
    }

export type Role = 'user' | 'admin'

/** The claims of this deployment's tokens (./sign-access-token.ts). */
const ownRules: TokenRules = { scopeClaim: null, writeScope: null, admin: { claim: 'role', value: 'admin' } }

/** The claims of a verified token. Other modules decide about access. */
export interface VerifiedClaims {
  readonly issuer: string
  readonly subject: string
  readonly role: Role
  readonly scopes: readonly string[]
  /** `sid` of a token of this deployment's sign-in. Whether the session is live has not been checked. */
  readonly sessionId?: string
  readonly expiresAt: Date
  /** The beginning of time where the token does not say. */
  readonly issuedAt: Date
}

const claimsSchema = z.object({
  iss: z.string(),
  sub: z
    .string()
    .min(1)
    .max(255)
    .regex(/^\P{Cc}*$/u)
    // PostgreSQL cannot store an unpaired surrogate: two subjects would become one user.
    .refine((text) => text.isWellFormed()),
  exp: z.number(),
  iat: z.number().optional(),
  sid: z.unknown().optional(),
})

/** The claims of this deployment's tokens. */
const ownClaimsSchema = claimsSchema.extend({ role: z.string().optional(), scope: z.string().optional() })

function unauthorized(reason: string): AppError {
  return new AppError('unauthorized', 'A valid access token is required.', { reason })
}

/** Whether the token may only read: its scopes contain `read` and not `write`. Without either, it is not restricted. */
export function isReadOnly(scopes: readonly string[]): boolean {
  return scopes.includes('read') && !scopes.includes('write')
}

/**
 * Verifies a compact JWT: signature with a pinned algorithm, issuer, audience (OIDC), `exp` and `nbf` with 60 s of
 * skew, `sub`. `hooks` are called if the issuer's keys are fetched.
 * @throws AppError `unauthorized`; `unavailable` if the issuer's keys cannot be read; errors of `hooks.before`
 */
export async function verifyAccessToken(
  token: string,
  config: AuthConfig,
  now: Date,
  hooks?: FetchHooks,
): Promise<VerifiedClaims> {
  const payload = await verifySignature(token, config, now, hooks)
  const parsed = (config.mode === 'builtin' ? ownClaimsSchema : claimsSchema).safeParse(payload)
  if (!parsed.success) throw unauthorized(`malformed claim ${String(parsed.error.issues[0]?.path[0])}`)
  const { iss, sub, exp, iat = 0, sid } = parsed.data
  if (config.mode === 'oidc' && exp > now.getTime() / 1000 + config.longestSeconds + CLOCK_SKEW_SECONDS)
    throw unauthorized('valid for longer than AUTH_MAX_TOKEN_HOURS')
  const rules = config.mode === 'builtin' ? ownRules : config.rules
  return {
    issuer: iss,
    subject: sub,
    role: isAdministrator(payload, rules) ? 'admin' : 'user',
    scopes: scopesOf(payload, rules),
    expiresAt: new Date(exp * 1000),
    issuedAt: new Date(iat * 1000),
    // Another issuer's session ids mean nothing here.
    ...(config.mode === 'builtin' && typeof sid === 'string' ? { sessionId: sid } : {}),
  }
}

async function verifySignature(
  token: string,
  config: AuthConfig,
  now: Date,
  hooks: FetchHooks | undefined,
): Promise<JWTPayload> {
  const common = { currentDate: now, clockTolerance: CLOCK_SKEW_SECONDS, requiredClaims: ['sub', 'exp'] }
  try {
    if (config.mode === 'builtin') {
      return await verifyOwn(token, config, { ...common, issuer: LOCAL_ISSUER, algorithms: ['HS256'] })
    }
    const { issuer, audience, jwks } = config
    const options: JWTVerifyOptions = { ...common, issuer, audience, algorithms: OIDC_ALGORITHMS }
    const { payload, protectedHeader } = await jwtVerify(token, (header, jws) => jwks(header, jws, now, hooks), options)
    const otherKind = otherKindOf(protectedHeader, payload)
    if (otherKind !== null) throw unauthorized(otherKind)
    return payload
  } catch (error) {
    if (error instanceof AppError) throw error
    throw unauthorized(refusalReason(error))
  }
}

/** By the current key, or where its signature does not fit, by the previous one. */
async function verifyOwn(
  token: string,
  { secret, previousSecret }: Extract<AuthConfig, { mode: 'builtin' }>,
  options: JWTVerifyOptions,
): Promise<JWTPayload> {
  for (const key of [secret, ...(previousSecret === null ? [] : [previousSecret])])
    if (key.length < minSecretBytes) throw new AppError('misconfigured', 'SECRET_KEY is too short.')
  try {
    return (await jwtVerify(token, secret, options)).payload
  } catch (error) {
    if (previousSecret === null || !(error instanceof errors.JWSSignatureVerificationFailed)) throw error
    return (await jwtVerify(token, previousSecret, options)).payload
  }
}

/** The library's error code and claim name. Its errors contain the whole payload, so they never become a `cause`. */
function refusalReason(error: unknown): string {
  if (error instanceof errors.JWTClaimValidationFailed) return `${error.code} ${error.claim} ${error.reason}`
  if (error instanceof errors.JOSEError) return error.code
  return error instanceof Error ? error.name : 'unknown'
}
