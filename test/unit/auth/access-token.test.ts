import { createHmac } from 'node:crypto'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import { type AuthConfig, verifyAccessToken } from '../../../src/auth/access-token.ts'
import { createJwksSource } from '../../../src/auth/jwks.ts'
import type { TokenRules } from '../../../src/auth/token-rights.ts'
import { AppError } from '../../../src/errors.ts'

const now = new Date('2026-11-21T12:00:00Z')
const nowSeconds = now.getTime() / 1000
const secret = Buffer.from('a secret of the deployment, 32 bytes or more')
const local: AuthConfig = { mode: 'builtin', secret, previousSecret: null }
const valid = { iss: 'wealthnavigator-edge', sub: 'user-1', exp: nowSeconds + 60 }

async function signLocal(claims: JWTPayload, alg = 'HS256', key: Uint8Array = secret): Promise<string> {
  return await new SignJWT(claims).setProtectedHeader({ alg }).sign(key)
}

const issuer = 'https://issuer.example'
const audience = 'wealth'
const keys = {
  RS256: await generateKeyPair('RS256'),
  ES256: await generateKeyPair('ES256'),
  EdDSA: await generateKeyPair('EdDSA'),
  Ed25519: await generateKeyPair('Ed25519'),
  PS256: await generateKeyPair('PS256'),
  ES384: await generateKeyPair('ES384'),
}
const published = await Promise.all(
  Object.entries(keys).map(async ([alg, { publicKey }]) => ({ ...(await exportJWK(publicKey)), kid: alg, alg })),
)
const jwks = createJwksSource({
  url: 'https://issuer.example/jwks',
  fetch: async () => Response.json({ keys: published }),
})
const rules: TokenRules = { scopeClaim: null, writeScope: null, admin: { claim: 'role', value: 'admin' } }
const oidc = { mode: 'oidc', issuer, audience, jwks, rules, longestSeconds: 86_400 } as const satisfies AuthConfig
const validOidc = { iss: issuer, aud: audience, sub: 'user-1', exp: nowSeconds + 60 }

async function signOidc(claims: JWTPayload, alg: keyof typeof keys = 'ES256', typ?: string): Promise<string> {
  const header = { alg, kid: alg, ...(typ === undefined ? {} : { typ }) }
  return await new SignJWT(claims).setProtectedHeader(header).sign(keys[alg].privateKey)
}

const refusal = (reason: unknown = expect.any(String)) =>
  expect.objectContaining({
    code: 'unauthorized',
    detail: 'A valid access token is required.',
    cause: undefined,
    reason,
  })

async function outcome(token: string, config: AuthConfig): Promise<unknown> {
  return await verifyAccessToken(token, config, now).catch((error: unknown) => {
    if (!(error instanceof AppError)) return error
    const { code, detail, reason, cause } = error
    return { code, detail, reason, cause }
  })
}

describe('a token of this deployment', () => {
  test('says when it was issued', async () => {
    const issuedAt = nowSeconds - 30
    const token = await signLocal({ ...valid, iat: issuedAt })
    expect(await verifyAccessToken(token, local, now)).toMatchObject({ issuedAt: new Date(issuedAt * 1000) })
  })

  test('gives its claims', async () => {
    const token = await signLocal({ ...valid, role: 'admin', scope: 'read  write' })
    expect(await verifyAccessToken(token, local, now)).toEqual({
      issuer: 'wealthnavigator-edge',
      subject: 'user-1',
      role: 'admin',
      scopes: ['read', 'write'],
      expiresAt: new Date((nowSeconds + 60) * 1000),
      issuedAt: new Date(0),
    })
  })

  test.each([undefined, 'user', 'ADMIN', 'superadmin'])('is not an administrator with the role %j', async (role) => {
    const claims = role === undefined ? valid : { ...valid, role }
    expect(await verifyAccessToken(await signLocal(claims), local, now)).toMatchObject({ role: 'user', scopes: [] })
  })

  test.each<[string, JWTPayload]>([
    ['no sub', { iss: valid.iss, exp: valid.exp }],
    ['no exp', { iss: valid.iss, sub: valid.sub }],
    ['no iss', { sub: valid.sub, exp: valid.exp }],
    ['another issuer', { ...valid, iss: issuer }],
    ['an empty sub', { ...valid, sub: '' }],
    ['a sub of 256 characters', { ...valid, sub: 'a'.repeat(256) }],
    ['a control character in sub', { ...valid, sub: 'user\u0000-1' }],
    ['a role that is an array', { ...valid, role: ['admin'] }],
    ['a scope that is an array', { ...valid, scope: ['read'] }],
    ['an exp past its skew', { ...valid, exp: nowSeconds - 61 }],
    ['an nbf ahead of its skew', { ...valid, nbf: nowSeconds + 61 }],
  ])('is refused with %s', async (_case, claims) => {
    expect(await outcome(await signLocal(claims), local)).toEqual(refusal())
  })

  test('is given a minute of clock skew', async () => {
    const token = await signLocal({ ...valid, exp: nowSeconds - 59, nbf: nowSeconds + 59 })
    expect(await verifyAccessToken(token, local, now)).toMatchObject({ subject: 'user-1' })
  })

  test.each(['HS384', 'HS512'])('is refused with %s', async (alg) => {
    const key = Buffer.concat([secret, secret])
    expect(
      await outcome(await signLocal(valid, alg, key), { mode: 'builtin', secret: key, previousSecret: null }),
    ).toEqual(refusal('ERR_JOSE_ALG_NOT_ALLOWED'))
  })

  test('is refused unsigned, by another secret, changed and malformed', async () => {
    const [header, , signature] = (await signLocal(valid)).split('.')
    const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(JSON.stringify(valid)).toString('base64url')}.`
    const changed = `${header}.${Buffer.from(JSON.stringify({ ...valid, role: 'admin' })).toString('base64url')}.${signature}`
    const tokens = [
      none,
      changed,
      await signLocal(valid, 'HS256', Buffer.alloc(32)),
      '',
      'a.b.c',
      'junk',
      `${header}..${signature}`,
    ]
    for (const token of tokens) expect(await outcome(token, local)).toEqual(refusal())
  })

  test('does not quote the token in the reason for the log', async () => {
    const error = await outcome(await signLocal({ ...valid, iss: 'canary-issuer', sub: 'canary-subject' }), local)
    expect(JSON.stringify(error)).not.toContain('canary')
  })

  test('is not verified with a secret under 32 bytes', async () => {
    const short = Buffer.alloc(31)
    for (const pair of [
      { secret: short, previousSecret: null },
      { secret, previousSecret: short },
    ])
      expect(await outcome(await signLocal(valid, 'HS256', short), { mode: 'builtin', ...pair })).toMatchObject({
        code: 'misconfigured',
      })
  })
})

describe('a token of an OIDC issuer', () => {
  test.each(['RS256', 'ES256', 'EdDSA', 'Ed25519'] as const)('is accepted with %s', async (alg) => {
    expect(await verifyAccessToken(await signOidc(validOidc, alg), oidc, now)).toMatchObject({
      issuer,
      subject: 'user-1',
    })
  })

  test.each(['PS256', 'ES384'] as const)('is refused with %s, though the key is published', async (alg) => {
    expect(await outcome(await signOidc(validOidc, alg), oidc)).toEqual(refusal('ERR_JOSE_ALG_NOT_ALLOWED'))
  })

  test.each<[string, JWTPayload]>([
    ['another issuer', { ...validOidc, iss: 'https://other.example' }],
    ["this deployment's issuer", { ...validOidc, iss: 'wealthnavigator-edge' }],
    ['another audience', { ...validOidc, aud: 'other' }],
    ['no audience', { iss: issuer, sub: 'user-1', exp: validOidc.exp }],
    ['no exp', { iss: issuer, aud: audience, sub: 'user-1' }],
  ])('is refused with %s', async (_case, claims) => {
    expect(await outcome(await signOidc(claims), oidc)).toEqual(refusal())
  })

  test.each<[unknown, string[]]>([
    ['read', ['read']],
    ['read write', ['read', 'write']],
    [['read'], ['read']],
    [[], []],
  ])('takes its scopes from scp, as in %j', async (scp, scopes) => {
    expect(await verifyAccessToken(await signOidc({ ...validOidc, scp }), oidc, now)).toMatchObject({ scopes })
    const twice = await signOidc({ ...validOidc, scp, scope: scopes.toReversed().join(' ') })
    expect(await verifyAccessToken(twice, oidc, now)).toMatchObject({ scopes: scopes.toReversed() })
  })

  const ruled = (given: Partial<TokenRules>): AuthConfig => ({
    ...oidc,
    rules: { ...rules, ...given },
  })

  test.each<[JWTPayload, string | null]>([
    [{ scope: 'openid accounts:write' }, null],
    [{ scp: ['accounts:write'] }, null],
    [{ permissions: ['read:accounts', 'accounts:write'] }, 'permissions'],
    [{ permissions: 'accounts:write' }, 'permissions'],
    [{ 'https://wealth.test/scopes': ['accounts:write'] }, 'https://wealth.test/scopes'],
    [{ realm: { scopes: ['accounts:write'] } }, 'realm.scopes'],
  ])('may change things where it has the configured scope, as in %j by the claim %s', async (claims, scopeClaim) => {
    const config = ruled({ writeScope: 'accounts:write', ...(scopeClaim === null ? {} : { scopeClaim }) })
    const token = await signOidc({ ...validOidc, ...claims })
    expect(await verifyAccessToken(token, config, now)).toMatchObject({ scopes: ['read', 'write'] })
  })

  test.each<[JWTPayload, string | null]>([
    [{}, null],
    [{ scope: 'openid' }, null],
    [{ scope: 'write' }, null],
    [{ scope: 'accounts:write:none' }, null],
    [{ scp: 'accounts:read' }, null],
    [{ scope: 'accounts:write', permissions: ['accounts:read'] }, 'permissions'],
    [{ scope: 'accounts:write' }, 'permissions'],
    [{ 'realm.scopes': ['accounts:read'], realm: { scopes: ['accounts:write'] } }, 'realm.scopes'],
    [{ realm: ['accounts:write'] }, 'realm.scopes'],
    [{ realm: null }, 'realm.scopes'],
    [{}, '__proto__'],
  ])('may only read without the configured scope, as in %j by the claim %s', async (claims, scopeClaim) => {
    const config = ruled({ writeScope: 'accounts:write', ...(scopeClaim === null ? {} : { scopeClaim }) })
    const token = await signOidc({ ...validOidc, ...claims })
    expect(await verifyAccessToken(token, config, now)).toMatchObject({ scopes: ['read'] })
  })

  test('is an administrator’s by the configured claim alone', async () => {
    const admin = { claim: 'https://wealth.test/roles', value: 'operator' }
    const roleOf = async (claims: JWTPayload, config: AuthConfig) =>
      (await verifyAccessToken(await signOidc({ ...validOidc, ...claims }), config, now)).role
    const named: AuthConfig = { ...oidc, rules: { ...rules, admin } }
    expect(await roleOf({ [admin.claim]: ['support', 'operator'] }, named)).toBe('admin')
    expect(await roleOf({ [admin.claim]: 'operator' }, named)).toBe('admin')
    for (const claims of [
      { role: 'admin' },
      { [admin.claim]: 'admin' },
      { [admin.claim]: 'operator support' },
      { [admin.claim]: ['Operator'] },
      { [admin.claim]: { operator: true } },
    ])
      expect(await roleOf(claims, named)).toBe('user')
    expect(await roleOf({ role: 'admin' }, { ...oidc, rules: { ...rules, admin: null } })).toBe('user')
  })

  test('is refused where it is valid for longer than configured', async () => {
    const until = (seconds: number) => signOidc({ ...validOidc, exp: nowSeconds + seconds })
    expect(await outcome(await until(86_460), oidc)).toMatchObject({ subject: 'user-1' })
    expect(await outcome(await until(86_461), oidc)).toEqual(refusal('valid for longer than AUTH_MAX_TOKEN_HOURS'))
    expect(await outcome(await until(3_155_760_000), oidc)).toEqual(refusal())
  })

  test('is refused with a subject that PostgreSQL cannot hold, which would make two users one', async () => {
    for (const sub of ['z\ud800', '\udc00z', 'a\ud801b'])
      expect(await outcome(await signOidc({ ...validOidc, sub }), oidc)).toEqual(refusal())
    expect(await outcome(await signOidc({ ...validOidc, sub: 'z\ud83d\ude00' }), oidc)).toMatchObject({
      subject: 'z😀',
    })
  })

  test.each<[string, JWTPayload]>([
    ['scopes that differ', { scope: 'read', scp: ['read', 'write'] }],
    ['an empty scope beside scp', { scope: '', scp: ['read'] }],
    ['an scp of another type', { scp: { read: true } }],
    ['an scp with another member', { scp: ['read', 1] }],
  ])('is refused with %s, which could open more than was granted', async (_case, claims) => {
    expect(await outcome(await signOidc({ ...validOidc, ...claims }), oidc)).toEqual(refusal())
  })

  test.each<[string, JWTPayload, string | undefined]>([
    ['at+jwt', {}, 'at+jwt'],
    ['application/at+jwt in capitals', {}, 'application/AT+JWT'],
    ['JWT', {}, 'JWT'],
    ['at+jwt beside a nonce', { nonce: 'n' }, 'at+jwt'],
    ['no typ, and Keycloak’s Bearer with a nonce', { typ: 'Bearer', nonce: 'n' }, undefined],
    ['no typ, and a nonce beside scopes', { nonce: 'n', scope: 'openid' }, undefined],
    ['Cognito’s token_use', { token_use: 'access' }, undefined],
  ])('is accepted as %s', async (_case, claims, typ) => {
    const token = await signOidc({ ...validOidc, ...claims }, 'ES256', typ)
    expect(await verifyAccessToken(token, oidc, now)).toMatchObject({ subject: 'user-1' })
  })

  test.each<[string, JWTPayload, string | undefined]>([
    ['an ID token with at_hash', { at_hash: 'h' }, 'JWT'],
    ['an ID token with c_hash', { c_hash: 'h', scope: 'openid' }, undefined],
    ['an ID token with a nonce', { nonce: 'n' }, undefined],
    ['Keycloak’s ID token', { typ: 'ID' }, 'JWT'],
    ['Keycloak’s refresh token', { typ: 'Refresh', scope: 'openid' }, 'JWT'],
    ['Cognito’s ID token', { token_use: 'id' }, undefined],
    ['a logout token', { events: {} }, undefined],
    ['a logout token by its type', {}, 'logout+jwt'],
    ['a token for introspection', {}, 'application/token-introspection+jwt'],
  ])('is refused as %s', async (_case, claims, typ) => {
    expect(await outcome(await signOidc({ ...validOidc, ...claims }, 'ES256', typ), oidc)).toEqual(refusal())
  })

  test('is refused by a deployment with its own secret, and the other way round', async () => {
    expect(await outcome(await signOidc({ ...validOidc, iss: 'wealthnavigator-edge' }), local)).toEqual(refusal())
    expect(await outcome(await signLocal({ ...valid, iss: issuer, aud: audience }), oidc)).toEqual(refusal())
  })

  test('is refused when a published key was used as an HMAC secret', async () => {
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const signed = `${encode({ alg: 'HS256', kid: 'RS256' })}.${encode(validOidc)}`
    const mac = createHmac('sha256', JSON.stringify(published[0])).update(signed).digest('base64url')
    expect(await outcome(`${signed}.${mac}`, oidc)).toEqual(refusal('ERR_JOSE_ALG_NOT_ALLOWED'))
  })

  test('is refused when it brings its own key or address of keys', async () => {
    const attacker = await generateKeyPair('ES256')
    const jwk = await exportJWK(attacker.publicKey)
    const header = { alg: 'ES256', kid: 'ES256', jwk, jku: 'https://evil.example/jwks' }
    const token = await new SignJWT(validOidc).setProtectedHeader(header).sign(attacker.privateKey)
    expect(await outcome(token, oidc)).toEqual(refusal('ERR_JWS_SIGNATURE_VERIFICATION_FAILED'))
  })
})
